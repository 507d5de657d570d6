"""Cursors of lists and rankings: where a page ended, and of which question; signed, so that none is made up."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass

import orjson

from gateway.analytics.calendars import DAY_MS
from gateway.analytics.model import Interval
from gateway.errors import BadUserInputError
from gateway.process.signing import SIGNATURE_BYTES, Signer

_VERSION = 4
_MAX_LENGTH = 1_000


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in an order, within the window that the first page had; what it is made of is the order's."""

    question: str
    interval: Interval
    place: tuple[str | int, ...]


def fingerprint(*parts: object) -> str:
    """A short digest of a question, so that a cursor serves only the question it came from."""
    return hashlib.sha256(repr(parts).encode("utf-8", "surrogatepass")).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Cursors:
    """Writes cursors, and reads what `signer` has signed: all processes of one API sign alike."""

    signer: Signer

    def encode(self, cursor: Cursor) -> str:
        """The cursor as opaque text of URL-safe characters."""
        interval = cursor.interval
        fields = [_VERSION, cursor.question, interval.start_ms, interval.end_ms, *cursor.place]
        content = orjson.dumps(fields)
        return _text(self.signer.sign(content) + content)

    def place_in(self, text: str) -> tuple[str | int, ...]:
        """The place of a cursor, whatever question it belongs to; none in what is not ours."""
        content = self._signed(text) if len(text) <= _MAX_LENGTH else None
        cursor = None if content is None else _parse(content)
        return () if cursor is None else cursor.place

    def decode(self, text: str, question: str, max_days: int, argument: str = "after") -> Cursor:
        """The cursor of a text given as `argument`; raises `BadUserInputError` for anything that `encode` did not write.

        What is signed is taken as it is, but for what another setting may have changed since.
        """
        content = self._signed(text) if len(text) <= _MAX_LENGTH else None
        cursor = None if content is None else _parse(content)
        if cursor is None:
            raise BadUserInputError(
                argument,
                "is no cursor of this gateway, or one from before a change of its version or keys; "
                "take a cursor as a page gave it, or ask for the first page anew, "
                f"without `{argument}`",
            )
        if cursor.question != question:
            raise BadUserInputError(
                argument,
                "belongs to a question with other arguments; ask for the first page anew, "
                f"without `{argument}`",
            )
        if cursor.interval.end_ms > cursor.interval.start_ms + max_days * DAY_MS:
            raise BadUserInputError(
                argument,
                f"goes on in a window of more than {max_days} days; ask for a shorter one anew, "
                f"without `{argument}`",
            )
        return cursor

    def _signed(self, text: str) -> bytes | None:
        try:
            padded = text + "=" * (-len(text) % 4)
            raw = base64.b64decode(padded, altchars=b"-_", validate=True)
        except ValueError:
            return None
        signature, content = raw[:SIGNATURE_BYTES], raw[SIGNATURE_BYTES:]
        is_ours = _text(raw) == text and self.signer.is_signed(content, signature)
        return content if is_ours else None


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _parse(content: bytes) -> Cursor | None:
    """What a signed content says; `None` for another version's."""
    version, *said = orjson.loads(content)
    if version != _VERSION:
        return None
    question, start_ms, end_ms, *place = said
    return Cursor(question, Interval(start_ms, end_ms), tuple(place))
