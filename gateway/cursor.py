"""Cursors of the entries' connection: where a page ended, and of which question."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from dataclasses import dataclass

import orjson

from gateway.errors import BadUserInputError
from gateway.model import Direction, Interval, TransactionKind
from gateway.query_plan import EntryKey
from gateway.window import DAY_MS

_VERSION = 2
_MAX_LENGTH = 400
_TRANSACTION_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_MAX_MS = 1 << 53


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in the order of entries, within the window that the first page had."""

    question: str
    interval: Interval
    key: EntryKey


def fingerprint(*parts: object) -> str:
    """A short digest of a question, so that a cursor serves only the question it came from."""
    return hashlib.sha256(repr(parts).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def encode(cursor: Cursor) -> str:
    """The cursor as opaque text of URL-safe characters."""
    key = cursor.key
    fields = [
        _VERSION,
        cursor.question,
        cursor.interval.start_ms,
        cursor.interval.end_ms,
        key.event_time_ms,
        key.transaction_id,
        key.direction.value,
        key.kind.value,
    ]
    return base64.urlsafe_b64encode(orjson.dumps(fields)).decode().rstrip("=")


def decode(text: str, question: str, max_days: int) -> Cursor:
    """The cursor of a text; raises `BadUserInputError` for anything that `encode` did not write."""
    fields = _fields(text) if len(text) <= _MAX_LENGTH else None
    if _is_older(fields):
        raise BadUserInputError(
            "after", "is a cursor from before an upgrade; start the page again, without `after`"
        )
    cursor = _parse(fields)
    if cursor is None or not _is_window(cursor.interval, max_days):
        raise BadUserInputError(
            "after", "is not a cursor; take `endCursor` as the last page gave it"
        )
    if cursor.question != question:
        raise BadUserInputError(
            "after", "belongs to a question with other arguments; start without `after`"
        )
    return cursor


def _is_window(interval: Interval, max_days: int) -> bool:
    return 0 <= interval.start_ms < interval.end_ms <= interval.start_ms + max_days * DAY_MS


def _fields(text: str) -> object:
    try:
        padded = text + "=" * (-len(text) % 4)
        return json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (ValueError, binascii.Error, RecursionError):
        return None


def _is_older(fields: object) -> bool:
    match fields:
        case [int(version), str(), *_]:
            return 0 < version < _VERSION
        case _:
            return False


def _parse(fields: object) -> Cursor | None:
    match fields:
        case [
            version,
            str(question),
            int(start_ms),
            int(end_ms),
            int(event_time_ms),
            str(transaction_id),
            ("RECEIVED" | "SENT") as direction,
            ("TRANSFER" | "REVERSAL") as kind,
        ] if (
            version == _VERSION
            and _TRANSACTION_ID.fullmatch(transaction_id)
            and all(abs(each) < _MAX_MS for each in (start_ms, end_ms, event_time_ms))
        ):
            place = event_time_ms, transaction_id, Direction(direction), TransactionKind(kind)
            return Cursor(question, Interval(start_ms, end_ms), EntryKey(*place))
        case _:
            return None
