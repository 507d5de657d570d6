"""The id of an event: which snapshot it was, of which question, with what in it.

So a client that comes back, to whichever process, is told what is new since, and nothing twice. It
is not signed: who makes one up changes only what he himself is told.
"""

from __future__ import annotations

import base64
import hashlib
import re
from typing import NamedTuple

from gateway.live.still import MARK_BYTES

_QUESTION_BYTES = 6
_ID = re.compile(r"([1-9][0-9]{0,15})\.([A-Za-z0-9_-]{8})\.([A-Za-z0-9_-]{16})")


class EventId(NamedTuple):
    """What was told last: its number, a digest of the question, and the mark of what was told."""

    sequence: int
    question: bytes
    mark: bytes

    def text(self) -> str:
        """The id as it is sent; URL-safe."""
        return f"{self.sequence}.{_text(self.question)}.{_text(self.mark)}"


def question_of(asked: bytes) -> bytes:
    """What tells questions apart in ids, of a digest of what is asked."""
    return hashlib.blake2b(asked, digest_size=_QUESTION_BYTES).digest()


def read(text: str | None) -> EventId | None:
    """The id of a text; `None` for what is none."""
    found = _ID.fullmatch(text or "")
    if found is None:
        return None
    sequence, question, mark = found.groups()
    return EventId(int(sequence), _bytes(question), _bytes(mark))


def _text(raw: bytes) -> str:
    assert len(raw) in (_QUESTION_BYTES, MARK_BYTES)  # whole groups: no padding
    return base64.urlsafe_b64encode(raw).decode()


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text)
