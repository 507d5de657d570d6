"""Cursors come back as they went, and nothing else passes for one."""

from __future__ import annotations

import base64
import json
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.analytics.cursor import Cursor, Cursors, fingerprint
from gateway.analytics.model import Interval
from gateway.errors import BadUserInputError
from gateway.process.signing import Signer

AMOUNT = "999999999999999999.99999999"
UUID = "0b5ca6cd-6f0f-4bc4-9f79-0d5e5d5f2f6a"
QUESTION = fingerprint("alice", 1)
OURS, THEIRS = Signer([b"ours"], b"cursor"), Signer([b"theirs"], b"cursor")
CURSORS = Cursors(OURS)
CURSOR = Cursor(QUESTION, Interval(0, 10), (5, UUID, "SENT", "TRANSFER", AMOUNT))


@given(
    start_ms=st.integers(-(10**14), 10**14),
    length_ms=st.integers(1, 3660 * 86_400_000),
    place=st.lists(st.one_of(st.integers(-(2**62), 2**62), st.text(max_size=64))),
)
def test_a_cursor_comes_back_as_it_went(
    start_ms: int, length_ms: int, place: list[int | str]
) -> None:
    cursor = Cursor(QUESTION, Interval(start_ms, start_ms + length_ms), tuple(place[:6]))
    text = CURSORS.encode(cursor)
    if len(text) <= 1_000:
        assert CURSORS.decode(text, QUESTION, 3660) == cursor


def refused(text: str, words: str, question: str = QUESTION, max_days: int = 3660) -> None:
    with pytest.raises(BadUserInputError, match=f"^after: {words}.* anew, without `after`$"):
        CURSORS.decode(text, question, max_days)


def text_of(content: bytes, signature: bytes = b"") -> str:
    return base64.urlsafe_b64encode(signature + content).decode().rstrip("=")


FIELDS = [4, QUESTION, 0, 10, 5, UUID, "SENT", "TRANSFER", "1.5"]


@pytest.mark.parametrize(
    "fields",
    [
        FIELDS,
        [4, QUESTION, 1 << 52, (1 << 52) + 10, 5, UUID, "SENT", "TRANSFER", "1.5"],
        [4, QUESTION, 0, 10, True, UUID, "SENT", "TRANSFER", "1.5"],
        [True, QUESTION, 0, 10, 5, UUID, "SENT", "TRANSFER", "1.5"],
        [4, QUESTION, 0, 10, 1e300, UUID, "SENT", "TRANSFER", "1.5"],
        [4, QUESTION, 0, 10, 5, "' OR 1=1", "SENT", "TRANSFER", "1.5"],
        [3, QUESTION, 0, 10, 5, UUID, "SENT", "TRANSFER"],
        [2, QUESTION, 0, 10, 5, UUID, "SENT", "TRANSFER"],
        [1, QUESTION, 0, 10, 5, UUID, "SENT"],
    ],
)
def test_what_somebody_else_wrote_is_refused(fields: list[object]) -> None:
    content = json.dumps(fields, separators=(",", ":")).encode()
    for signature in (b"", bytes(16), THEIRS.sign(content), Signer([b"ours"], b"x").sign(content)):
        refused(text_of(content, signature), "is no cursor of this gateway")


@pytest.mark.parametrize(
    "text", ["", "?", "a", "é", "bm9uc2Vuc2U", "[" * 300, "x" * 1_001, "x" * 1_000]
)
def test_what_is_no_cursor_at_all_is_refused(text: str) -> None:
    refused(text, "is no cursor of this gateway")


@given(place=st.integers(0, 10_000), bit=st.integers(0, 7))
@example(place=0, bit=0)
def test_a_cursor_of_which_a_bit_is_changed_is_refused(place: int, bit: int) -> None:
    text = CURSORS.encode(CURSOR)
    raw = bytearray(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    raw[place % len(raw)] ^= 1 << bit
    refused(text_of(bytes(raw)), "is no cursor of this gateway")


def test_a_cursor_has_one_text() -> None:
    text = CURSORS.encode(CURSOR)
    for other in (
        f"{text}=",
        f"{text}==",
        f" {text}",
        f"{text}\n",
        text.replace("-", "+", 1) + "=",
    ):
        refused(other, "is no cursor of this gateway")


def test_a_cursor_of_another_version_is_refused_though_it_is_signed() -> None:
    for version in (3, 5, True, "4", None):
        content = json.dumps([version, *FIELDS[1:]]).encode()
        refused(text_of(content, OURS.sign(content)), "is no cursor of this gateway")


def test_a_cursor_of_another_question_is_refused() -> None:
    refused(CURSORS.encode(CURSOR), "belongs to a question", fingerprint("bob", 1))


def test_a_window_that_has_become_too_long_is_refused() -> None:
    longer = replace(CURSOR, interval=Interval(0, 10 * 86_400_000 + 1))
    refused(CURSORS.encode(longer), "goes on in a window of more than 10 days", max_days=10)
    assert CURSORS.decode(CURSORS.encode(longer), QUESTION, 11) == longer


def test_keys_can_be_changed_while_pages_are_turned() -> None:
    before = Cursors(Signer([b"old", b"new"], b"cursor"))
    after = Cursors(Signer([b"new", b"old"], b"cursor"))
    for wrote, reads in ((before, after), (after, before)):
        assert reads.decode(wrote.encode(CURSOR), QUESTION, 1) == CURSOR
    ended = Cursors(Signer([b"new"], b"cursor"))
    assert ended.decode(after.encode(CURSOR), QUESTION, 1) == CURSOR
    with pytest.raises(BadUserInputError, match="first page anew"):
        ended.decode(before.encode(CURSOR), QUESTION, 1)
