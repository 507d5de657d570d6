"""Cursors come back as they went, and nothing else passes for one."""

from __future__ import annotations

import base64
import json
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.cursor import Cursor, decode, encode, fingerprint
from gateway.errors import BadUserInputError
from gateway.model import Direction, Interval, TransactionKind
from gateway.query_plan import EntryKey

UUID = "0b5ca6cd-6f0f-4bc4-9f79-0d5e5d5f2f6a"
QUESTION = fingerprint("alice", 1)


@given(
    start_ms=st.integers(0, 10**14),
    length_ms=st.integers(1, 3660 * 86_400_000),
    event_time_ms=st.integers(0, 10**14),
    transaction_id=st.uuids().map(str),
    direction=st.sampled_from(Direction),
    kind=st.sampled_from(TransactionKind),
)
def test_a_cursor_comes_back_as_it_went(
    start_ms: int,
    length_ms: int,
    event_time_ms: int,
    transaction_id: str,
    direction: Direction,
    kind: TransactionKind,
) -> None:
    interval = Interval(start_ms, start_ms + length_ms)
    key = EntryKey(event_time_ms, transaction_id, direction, kind)
    cursor = Cursor(QUESTION, interval, key)
    assert decode(encode(cursor), QUESTION, 3660) == cursor


def written(*fields: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(fields).encode()).decode()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "?",
        "a",
        "é",
        "bm9uc2Vuc2U",
        "[" * 300,
        "x" * 401,
        base64.urlsafe_b64encode(b"[" * 200).decode(),
        written(3, QUESTION, 0, 10, 5, UUID, "SENT", "TRANSFER"),
        written(2, QUESTION, 0, 10, 5, UUID, "SENT"),
        written(2, QUESTION, 0, 10, 5, UUID, "SENT", "transfer"),
        written(0, QUESTION, 0, 10, 5, UUID, "SENT", "TRANSFER"),
        written("1", QUESTION, 0, 10, 5, UUID, "SENT", "TRANSFER"),
        written(2, QUESTION, 0, 10, 5, "' OR 1=1", "SENT", "TRANSFER"),
        written(2, QUESTION, 0, 10, 5, UUID.upper(), "SENT", "TRANSFER"),
        written(2, QUESTION, 0, 10, 5, UUID, "sent", "TRANSFER"),
        written(2, QUESTION, 0, 10, 1 << 60, UUID, "SENT", "TRANSFER"),
        written(2, QUESTION, 0, 10, 5.5, UUID, "SENT", "TRANSFER"),
        written(2, QUESTION, 0, 3661 * 86_400_000, 5, UUID, "SENT", "TRANSFER"),
        written(2, QUESTION, 10, 10, 5, UUID, "SENT", "TRANSFER"),
        written(2, QUESTION, -1, 10, 5, UUID, "SENT", "TRANSFER"),
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(BadUserInputError, match="after: is not a cursor"):
        decode(text, QUESTION, 3660)


def test_a_cursor_of_an_earlier_version_is_refused_with_what_to_do() -> None:
    text = written(1, QUESTION, 0, 10, 5, UUID, "SENT").rstrip("=")
    with pytest.raises(BadUserInputError, match="from before an upgrade; start the page again"):
        decode(text, QUESTION, 3660)


def test_a_cursor_of_another_question_is_refused() -> None:
    key = EntryKey(5, str(uuid.UUID(int=1)), Direction.SENT, TransactionKind.TRANSFER)
    cursor = encode(Cursor(QUESTION, Interval(0, 10), key))
    with pytest.raises(BadUserInputError, match="after: belongs to a question"):
        decode(cursor, fingerprint("bob", 1), 3660)
