"""A record that does not count, with as much of it as is kept."""

from __future__ import annotations

import base64
import codecs
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import orjson

from stream_jobs.events.reasons import RejectReason

MAX_REJECTED_TEXT_BYTES: Final = 1024
MAX_REJECTED_BASE64_BYTES: Final = 1024 * 1024  # of raw bytes, before base64
MAX_REJECTED_KEY_BYTES: Final = 16 * 1024
MAX_REJECTED_HEADERS_BYTES: Final = 16 * 1024  # names and values together


@dataclass(frozen=True, slots=True)
class Rejection:
    """The verdict on a record's value.

    `payload` is readable text of the first 1 KiB (bytes that are no UTF-8, and NUL, as U+FFFD),
    `payload_base64` the first 1 MiB as it came, `payload_bytes` the whole length.
    """

    reason: RejectReason
    detail: str
    payload: str
    payload_base64: str
    payload_bytes: int


def rejection(payload: bytes, reason: RejectReason, detail: str) -> Rejection:
    """A record refused, whole or as much of it as is kept."""
    kept = payload[:MAX_REJECTED_BASE64_BYTES]
    return Rejection(reason, detail, _readable(payload), _base64(kept), len(payload))


def kept_key(key: bytes | None) -> str | None:
    """The first 16 KiB of a record's key in base64; None of a record without one."""
    return None if key is None else _base64(key[:MAX_REJECTED_KEY_BYTES])


def kept_headers(headers: Mapping[str, bytes | None] | None) -> str | None:
    """A record's headers as JSON, values in base64: by name, as many as 16 KiB hold; None if there are none."""
    kept: dict[str, str | None] = {}
    room = MAX_REJECTED_HEADERS_BYTES
    for name, value in sorted((headers or {}).items()):
        room -= len(name.encode()) + len(value or b"")
        if room < 0:
            break
        kept[name] = None if value is None else _base64(value)
    return orjson.dumps(kept).decode() if kept else None


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode("ascii")


def _readable(payload: bytes) -> str:
    # Not final: a character that the limit cuts in two is left out, not shown as broken.
    cut = len(payload) > MAX_REJECTED_TEXT_BYTES
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    text = decoder.decode(payload[:MAX_REJECTED_TEXT_BYTES], final=not cut)
    return text.replace("\x00", "\ufffd")
