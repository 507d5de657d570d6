"""A rejected event as a line to edit, and back: what is not edited stays as it was, byte for byte."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream_jobs.events.reasons import RejectReason
from stream_jobs.events.rejection import kept_headers, kept_key, rejection
from stream_jobs.events.rules import TransactionEvent
from stream_jobs.events.settings import DEFAULT
from stream_jobs.tools.rejected_events import (
    LineError,
    Place,
    RejectedEvent,
    Wanted,
    corrected,
    editable,
    rejected_event,
    verdict,
)
from tests.unit.stream_jobs.events.one_event import EVENT, NOW_MS, ORIGINAL

PLACE = Place(3, 77)


def record(
    payload: bytes,
    reason: RejectReason = RejectReason.NOT_JSON,
    key: bytes | None = None,
    headers: dict[str, bytes | None] | None = None,
    recorded_ms: int = NOW_MS,
) -> bytes:
    """As the job writes it."""
    judged = rejection(payload, reason, "why")
    return orjson.dumps(
        {
            "reason": judged.reason,
            "detail": judged.detail,
            "payload": judged.payload,
            "payload_base64": judged.payload_base64,
            "payload_bytes": judged.payload_bytes,
            "topic": "transactions",
            "kafka_partition": PLACE.kafka_partition,
            "kafka_offset": PLACE.kafka_offset,
            "event_time_ms": recorded_ms,
            "key_base64": kept_key(key),
            "headers": kept_headers(headers),
        }
    )


def rejected(payload: bytes, **beside: Any) -> RejectedEvent:
    return rejected_event(record(payload, **beside))


def edited(event: RejectedEvent, /, **changes: Any) -> bytes:
    return orjson.dumps({**orjson.loads(editable(event)), **changes})


json_objects = st.dictionaries(
    st.text(), st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text()
)


@given(
    st.binary(max_size=60)
    | st.text().map(str.encode)
    | json_objects.map(json.dumps).map(str.encode),
    st.none() | st.binary(max_size=20),
    st.dictionaries(st.text(), st.none() | st.binary(max_size=9), max_size=3),
    st.integers(0, 4_000_000_000_000),
)
def test_what_is_not_edited_stays_as_it_was(
    payload: bytes, key: bytes | None, headers: dict[str, bytes | None], recorded_ms: int
) -> None:
    event = rejected(payload, key=key, headers=headers, recorded_ms=recorded_ms)
    assert (event.key, event.headers, event.value) == (key, headers, payload)
    line = editable(event)
    assert b"\n" not in line
    again = corrected(line)
    assert (again.place, again.recorded_ms) == (PLACE, recorded_ms)
    assert (again.key, again.headers) == (key, headers)
    try:
        said = orjson.loads(payload)
    except orjson.JSONDecodeError:
        said = None
    if isinstance(said, dict):
        assert orjson.loads(again.value) == said
    else:
        assert again.value == payload


def test_an_object_is_shown_as_it_was_sent_with_every_digit() -> None:
    payload = b'{\n  "amount": 1000000000000000000.10,\r\n  "amount": 0.1000\n}'
    line = editable(rejected(payload))
    assert b'"event":{   "amount": 1000000000000000000.10,    "amount": 0.1000 }' in line


def test_a_corrected_event_is_sent_as_it_was_corrected() -> None:
    event = rejected(json.dumps({**EVENT, "amount": 12.5}).encode(), key=b"k")
    again = corrected(edited(event, event={**EVENT, "amount": "12.50"}))
    assert json.loads(again.value) == {**EVENT, "amount": "12.50"}
    said = verdict(again, event, DEFAULT)
    assert isinstance(said, TransactionEvent)
    assert said.amount == "12.50"


def test_an_event_that_is_still_wrong_is_not_sent() -> None:
    event = rejected(json.dumps({**EVENT, "status": "OK"}).encode())
    said = verdict(corrected(editable(event)), event, DEFAULT)
    assert said == "it would be rejected again: FIELD_MISSPELT, 'status' may stand for type"


def test_what_was_never_rejected_is_not_sent() -> None:
    event = rejected(json.dumps(EVENT).encode())
    assert "transactions-rejected" in str(verdict(corrected(editable(event)), None, DEFAULT))


def test_a_refused_transfer_may_be_sent_again_as_it_is() -> None:
    event = rejected(json.dumps(EVENT).encode(), reason=RejectReason.ACCOUNT_ERASED)
    assert isinstance(verdict(corrected(editable(event)), event, DEFAULT), TransactionEvent)


@pytest.mark.parametrize("reason", [RejectReason.REVERSAL_DIFFERS, RejectReason.ACCOUNT_ERASED])
def test_a_reversal_that_the_job_remembers_needs_a_new_id(reason: RejectReason) -> None:
    said = {**EVENT, "type": "reversal", "reverses": ORIGINAL}
    event = rejected(json.dumps(said).encode(), reason=reason)
    mended = {**said, "amount": "2", "transaction_id": said["transaction_id"].lower()}
    assert "new transaction_id" in str(
        verdict(corrected(edited(event, event=mended)), event, DEFAULT)
    )
    fresh = {**mended, "transaction_id": "7c9e6679-7425-40de-944b-e07fc1f90ae7"}
    assert isinstance(
        verdict(corrected(edited(event, event=fresh)), event, DEFAULT), TransactionEvent
    )


def test_a_time_that_no_calendar_has_must_be_mended() -> None:
    event = rejected(json.dumps(EVENT).encode(), recorded_ms=2**62)
    with pytest.raises(LineError, match="recorded_at"):
        corrected(editable(event))
    again = corrected(edited(event, recorded_at="2023-11-14T22:13:20Z"))
    assert again.recorded_ms == NOW_MS


def test_a_value_that_was_not_kept_whole_says_so() -> None:
    line = orjson.loads(editable(rejected(b" " * 1_100_000)))
    assert line["detail"] == "why; 51424 bytes are not kept"


@pytest.mark.parametrize(
    "changes",
    [
        {"kafka_partition": "3"},
        {"kafka_offset": None},
        {"recorded_at": "2023-11-14T22:13:20"},
        {"recorded_at": 5},
        {"key_base64": "!"},
        {"headers": []},
        {"headers": {"a": 5}},
        {"value": "twice"},
        {"value_base64": "AA=="},
    ],
)
def test_a_line_that_is_no_line_of_fix_is_refused(changes: dict[str, Any]) -> None:
    event = rejected(json.dumps(EVENT).encode())
    with pytest.raises(LineError):
        corrected(edited(event, **changes))


@pytest.mark.parametrize("line", [b"", b"[]", b"null", b"{", b"{}", b"\xff", b'"x"'])
def test_no_bytes_in_the_file_do_more_than_refuse_a_line(line: bytes) -> None:
    with pytest.raises(LineError):
        corrected(line)


@pytest.mark.parametrize(
    ("wanted", "asked_for"),
    [
        (Wanted(), True),
        (Wanted(reasons=frozenset({"NOT_JSON", "EMPTY"})), True),
        (Wanted(reasons=frozenset({"EMPTY"})), False),
        (Wanted(start_ms=NOW_MS, end_ms=NOW_MS + 1), True),
        (Wanted(end_ms=NOW_MS), False),
        (Wanted(start_ms=NOW_MS + 1), False),
        (Wanted(kafka_partition=3, first_offset=77, last_offset=77), True),
        (Wanted(kafka_partition=2), False),
        (Wanted(first_offset=78), False),
        (Wanted(last_offset=76), False),
    ],
)
def test_events_are_chosen_by_reason_time_and_place(wanted: Wanted, asked_for: bool) -> None:
    assert (rejected(b"x") in wanted) == asked_for


def test_a_record_of_before_keys_were_kept_is_read_too() -> None:
    said = orjson.loads(record(b"x"))
    del said["key_base64"], said["headers"]
    event = rejected_event(orjson.dumps(said))
    assert (event.key, event.headers) == (None, {})
