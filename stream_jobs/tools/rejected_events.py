"""Rejected events as operators see and mend them: read, chosen, written as lines to edit, and judged again; pure."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import orjson

from stream_jobs.events.instants import milliseconds, rfc_3339
from stream_jobs.events.reasons import BY_OTHERS
from stream_jobs.events.rejection import Rejection
from stream_jobs.events.rules import TransactionEvent, judge
from stream_jobs.events.settings import EventRules


class Place(NamedTuple):
    """Where a record stood in `transactions`; what was replayed is known by it."""

    kafka_partition: int
    kafka_offset: int


@dataclass(frozen=True, slots=True)
class RejectedEvent:
    """A record of `transactions-rejected`. `value_bytes` is the value's whole length, `value` what is kept of it."""

    place: Place
    reason: str
    detail: str
    recorded_ms: int
    key: bytes | None
    headers: Mapping[str, bytes | None]
    value: bytes
    value_bytes: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which rejected events are asked for; None: all. Times are the records' timestamps, the end excluded."""

    reasons: frozenset[str] | None = None
    start_ms: int | None = None
    end_ms: int | None = None
    kafka_partition: int | None = None
    first_offset: int | None = None
    last_offset: int | None = None

    def __contains__(self, event: RejectedEvent) -> bool:
        partition, offset = event.place
        return (
            (self.reasons is None or event.reason in self.reasons)
            and (self.start_ms is None or event.recorded_ms >= self.start_ms)
            and (self.end_ms is None or event.recorded_ms < self.end_ms)
            and (self.kafka_partition is None or partition == self.kafka_partition)
            and (self.first_offset is None or offset >= self.first_offset)
            and (self.last_offset is None or offset <= self.last_offset)
        )


@dataclass(frozen=True, slots=True)
class Corrected:
    """A line of an edited file: what is to be produced in place of the rejected event that stood there."""

    place: Place
    recorded_ms: int
    key: bytes | None
    headers: Mapping[str, bytes | None]
    value: bytes


class LineError(Exception):
    """A line of the file is not what `fix` writes; the message says what is wrong with it."""


def rejected_event(value: bytes) -> RejectedEvent:
    """Raises KeyError, TypeError, AttributeError or ValueError if the job did not write it."""
    said = orjson.loads(value)
    headers = orjson.loads(said.get("headers") or b"{}")
    return RejectedEvent(
        Place(said["kafka_partition"], said["kafka_offset"]),
        said["reason"],
        said["detail"],
        said["event_time_ms"],
        _unpacked(said.get("key_base64")),
        {name: _unpacked(text) for name, text in headers.items()},
        _unpacked(said["payload_base64"]) or b"",
        said["payload_bytes"],
    )


def editable(event: RejectedEvent) -> bytes:
    """An event as one line of JSON.

    Its value is `event`, as it was sent, where that is a JSON object; else `value` as text, or `value_base64`.
    """
    cut = event.value_bytes - len(event.value)
    return orjson.dumps(
        {
            **event.place._asdict(),
            "reason": event.reason,
            "detail": event.detail + (f"; {cut} bytes are not kept" if cut else ""),
            "recorded_at": instant(event.recorded_ms),
            "key_base64": _packed(event.key),
            "headers": {name: _packed(value) for name, value in event.headers.items()},
            **_editable_value(event.value),
        }
    )


def corrected(line: bytes) -> Corrected:
    """What an edited line says. Raises LineError."""
    try:
        said = json.loads(line)
        return Corrected(
            _place(said["kafka_partition"], said["kafka_offset"]),
            _recorded_ms(said["recorded_at"]),
            _unpacked(said["key_base64"]),
            {name: _unpacked(value) for name, value in said["headers"].items()},
            _edited_value(said),
        )
    except KeyError as missing:
        raise LineError(f"{missing.args[0]} is missing") from None
    except (ValueError, TypeError, AttributeError) as fault:
        raise LineError(str(fault)) from None


def verdict(
    line: Corrected, rejected: RejectedEvent | None, rules: EventRules
) -> TransactionEvent | str:
    """The event that would count in place of the rejected one, or why it must not be sent."""
    if rejected is None:
        return "no event that stood there is in transactions-rejected"
    said = judge(line.value, line.recorded_ms, rules)
    if isinstance(said, Rejection):
        return f"it would be rejected again: {said.reason}, {said.detail}"
    remembered = rejected.reason in BY_OTHERS and said.reverses is not None
    if remembered and said.transaction_id == _transaction_id(rejected.value):
        return (
            "it needs a new transaction_id: with the old one it is a duplicate of the reversal that was "
            f"{rejected.reason}, and counts nothing"
        )
    return said


def instant(time_ms: int) -> str:
    """RFC 3339; of a time that no calendar has, its milliseconds, which must be mended."""
    try:
        return rfc_3339(time_ms)
    except OverflowError:
        return f"{time_ms} ms"


def _place(partition: object, offset: object) -> Place:
    if not (isinstance(partition, int) and isinstance(offset, int)):
        raise ValueError("kafka_partition and kafka_offset are no numbers")  # noqa: TRY004
    return Place(partition, offset)


def _recorded_ms(instant_: str) -> int:
    time_ms = milliseconds(instant_)
    if time_ms is None:
        raise ValueError("recorded_at is no RFC 3339 instant with its offset")
    return time_ms


def _editable_value(value: bytes) -> dict[str, object]:
    try:
        text = value.decode()
    except UnicodeDecodeError:
        return {"value_base64": _packed(value)}
    try:
        is_object = isinstance(orjson.loads(text), dict)
    except orjson.JSONDecodeError:
        is_object = False
    if not is_object:
        return {"value": text}
    # A line break in JSON stands between its parts, never in a string: every digit stays as it was sent.
    return {"event": orjson.Fragment(text.replace("\r", " ").replace("\n", " "))}


def _edited_value(said: Mapping[str, Any]) -> bytes:
    given = [name for name in ("event", "value", "value_base64") if name in said]
    if len(given) != 1:
        raise ValueError("one of event, value and value_base64 says what is to be sent")
    value = said[given[0]]
    if given[0] == "event":
        return json.dumps(value, ensure_ascii=False).encode()
    return value.encode() if given[0] == "value" else _unpacked(value) or b""


def _transaction_id(value: bytes) -> str | None:
    said: Any = orjson.loads(value)
    return str(said["transaction_id"]).lower()


def _packed(value: bytes | None) -> str | None:
    return None if value is None else base64.b64encode(value).decode("ascii")


def _unpacked(text: str | None) -> bytes | None:
    try:
        return None if text is None else base64.b64decode(text, validate=True)
    except binascii.Error as fault:
        raise ValueError(f"{text!r} is no base64: {fault}") from None
