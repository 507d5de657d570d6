"""The event rules on any bytes: they never raise, and judge as a slow second reading of the contract does."""

from __future__ import annotations

import base64
import json
import unicodedata
import uuid
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from stream_jobs.events.field_names import OPTIONAL
from stream_jobs.events.instants import END_EVENT_TIME_MS, MIN_EVENT_TIME_MS
from stream_jobs.events.money import scaled
from stream_jobs.events.reasons import RejectReason
from stream_jobs.events.rejection import Rejection
from stream_jobs.events.rules import MAX_EVENT_BYTES, TransactionEvent, judge
from tests.unit.stream_jobs.events.one_event import EVENT, NOW_MS, ORIGINAL, judged, refused, taken

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
amounts = st.from_regex(r"(0|[1-9][0-9]{0,17})(\.[0-9]{1,8})?", fullmatch=True)


# Unicode's Default_Ignorable_Code_Point and the blank of Braille, where the category does not tell.
UNSEEN = set(
    "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2065\u2800\u3164\uffa0"
    + "".join(map(chr, [*range(0xFE00, 0xFE10), *range(0xFFF0, 0xFFF9), *range(0xE0000, 0xE1000)]))
)


def _is_seen(character: str) -> bool:
    category = unicodedata.category(character)
    noncharacter = 0xFDD0 <= ord(character) < 0xFDF0 or character in "\ufffe\uffff"
    return character == " " or (
        category not in ("Cc", "Cf", "Cs", "Co", "Zs", "Zl", "Zp")
        and character not in UNSEEN
        and not noncharacter
    )


def _is_account_id(text: str) -> bool:
    return (
        1 <= len(text) <= 64
        and text == text.strip(" ")
        and unicodedata.normalize("NFC", text) == text
        and all(map(_is_seen, text))
    )


def test_an_event_becomes_a_transfer_with_a_lower_case_id_and_its_amount_digit_for_digit() -> None:
    assert judge(json.dumps(EVENT).encode(), NOW_MS) == TransactionEvent(
        "0f8fad5b-d9cb-469f-a165-70867728950e", "alice", "bob", "1000000.5", NOW_MS
    )


@given(st.binary(max_size=300), st.integers())
@example(b"\x00" * 10, NOW_MS)
@example(b"\xef\xbb\xbf{}", NOW_MS)
@example(b"[" * 16_000, NOW_MS)
@example(b'{"amount":' * 1_500, NOW_MS)
@example(b"9" * 16_000, NOW_MS)
def test_no_bytes_and_no_time_make_the_rules_raise(payload: bytes, event_time_ms: int) -> None:
    judged = judge(payload, event_time_ms)
    assert isinstance(judged, Rejection)
    assert judged.payload_bytes == len(payload)
    assert base64.b64decode(judged.payload_base64) == payload


@given(st.dictionaries(st.sampled_from([*EVENT, *OPTIONAL, "memo"]), json_values))
def test_no_json_object_makes_the_rules_raise(changed: dict[str, Any]) -> None:
    judged = judge(json.dumps({**EVENT, **changed}).encode(), NOW_MS)
    json.dumps(judged.reason if isinstance(judged, Rejection) else judged.amount)


@given(st.text(max_size=70) | st.text(alphabet="a \u0301\u00e1\u200b\u00a0", max_size=5))
@example("\x85")
@example("\ud800")
@example("\u200b")
@example(" a")
@example("a\n")
@example("\u0958")  # a composed letter that NFC takes apart
@example("\U000e0100")
@example("x" * 64)
@example("\U0001f4b8" * 64)
def test_account_ids_are_judged_by_code_points_and_unicode_category(text: str) -> None:
    for field in ("from_account_id", "to_account_id"):
        verdict = judged({field: text})
        assert isinstance(verdict, TransactionEvent) == _is_account_id(text)


@given(st.uuids(), st.booleans())
def test_every_uuid_is_taken_in_any_case(transaction_id: uuid.UUID, upper: bool) -> None:
    text = str(transaction_id).upper() if upper else str(transaction_id)
    verdict = judged({"transaction_id": text})
    assert isinstance(verdict, TransactionEvent)
    assert verdict.transaction_id == str(transaction_id)


@given(amounts)
def test_a_decimal_of_18_and_8_digits_is_taken_if_it_is_above_zero(amount: str) -> None:
    verdict = judged({"amount": amount})
    if Decimal(amount) > 0:
        assert isinstance(verdict, TransactionEvent)
        assert verdict.amount == amount
    else:
        assert isinstance(verdict, Rejection)
        assert verdict.reason is RejectReason.AMOUNT_NOT_POSITIVE


@given(st.text(alphabet="0123456789.eE+-_, \n\u0661\uff11", max_size=30))
def test_nothing_else_is_an_amount(text: str) -> None:
    whole, _, decimals = text.partition(".")
    digits = whole + decimals
    plain = (
        digits.isascii()
        and digits.isdigit()
        and 1 <= len(whole) <= 18
        and not (whole.startswith("0") and whole != "0")
        and ("." not in text or (len(decimals) >= 1 and len(decimals.rstrip("0")) <= 8))
    )
    verdict = judged({"amount": text})
    if not plain:
        assert isinstance(verdict, Rejection)
        assert verdict.reason is RejectReason.AMOUNT_MALFORMED


@pytest.mark.parametrize(
    ("event_time_ms", "counts"),
    [
        (MIN_EVENT_TIME_MS - 1, False),
        (MIN_EVENT_TIME_MS, True),
        (END_EVENT_TIME_MS - 1, True),
        (END_EVENT_TIME_MS, False),
    ],
)
def test_the_time_is_at_least_1971_01_02_and_before_2070(event_time_ms: int, counts: bool) -> None:
    judged = judge(json.dumps(EVENT).encode(), event_time_ms)
    assert isinstance(judged, TransactionEvent) == counts


def test_16_kib_are_taken_and_one_byte_more_is_not() -> None:
    assert isinstance(
        judge(json.dumps(EVENT).encode().ljust(MAX_EVENT_BYTES), NOW_MS), TransactionEvent
    )
    rejection = judge(json.dumps(EVENT).encode().ljust(MAX_EVENT_BYTES + 1), NOW_MS)
    assert isinstance(rejection, Rejection)
    assert rejection.reason is RejectReason.TOO_LARGE


@pytest.mark.parametrize("payload", [None, b""])
def test_a_record_without_a_value_is_empty(payload: bytes | None) -> None:
    rejection = judge(payload, NOW_MS)
    assert rejection == Rejection(RejectReason.EMPTY, "the record has no bytes", "", "", 0)


def test_a_rejected_record_keeps_its_first_mebibyte_and_says_how_long_it_was() -> None:
    payload = bytes(range(256)) * 5000
    rejection = judge(payload, NOW_MS)
    assert isinstance(rejection, Rejection)
    assert rejection.payload_bytes == 1_280_000
    assert base64.b64decode(rejection.payload_base64) == payload[: 1024 * 1024]
    assert len(rejection.payload) <= 1024


@given(st.text(alphabet="a\u00e9\u20ac\U0001f4b8\x00", min_size=600, max_size=1500))
def test_the_readable_payload_never_shows_half_a_character_nor_a_nul(text: str) -> None:
    payload = ("!" + text).encode()
    rejection = judge(payload, NOW_MS)
    assert isinstance(rejection, Rejection)
    assert "\x00" not in rejection.payload
    assert rejection.payload == ("!" + text)[: len(rejection.payload)].replace("\x00", "\ufffd")
    assert len(rejection.payload.replace("\ufffd", "\x00").encode()) >= min(len(payload), 1021)


def test_bytes_that_are_no_utf8_are_shown_as_replacement_characters() -> None:
    rejection = judge(b"caf\xe9", NOW_MS)
    assert isinstance(rejection, Rejection)
    assert (rejection.reason, rejection.payload) == (RejectReason.NOT_UTF8, "caf\ufffd")


def test_of_two_equal_keys_the_last_counts() -> None:
    payload = json.dumps(EVENT).encode()[:-1] + b', "amount": "2"}'
    judged = judge(payload, NOW_MS)
    assert isinstance(judged, TransactionEvent)
    assert judged.amount == "2"


def test_a_reversal_says_in_lower_case_what_it_reverses() -> None:
    assert judged({"type": "reversal", "reverses": ORIGINAL}) == TransactionEvent(
        "0f8fad5b-d9cb-469f-a165-70867728950e",
        "alice",
        "bob",
        "1000000.5",
        NOW_MS,
        ORIGINAL.lower(),
    )


@pytest.mark.parametrize(
    "reverses",
    [None, "", "42", 42, [], ORIGINAL + "\n", EVENT["transaction_id"].lower()],
)
def test_a_reversal_of_nothing_or_of_itself_is_refused(reverses: object) -> None:
    rejection = judged({"type": "reversal", "reverses": reverses})
    assert isinstance(rejection, Rejection)
    assert rejection.reason is RejectReason.REVERSES_INVALID


@pytest.mark.parametrize("kind", [{}, {"type": "transfer"}])
def test_a_transfer_that_reverses_something_is_refused_lest_money_moves_twice(
    kind: dict[str, str],
) -> None:
    assert isinstance(judged({"reverses": None, **kind}), TransactionEvent)
    rejection = judged({"reverses": ORIGINAL, **kind})
    assert isinstance(rejection, Rejection)
    assert rejection.reason is RejectReason.REVERSES_INVALID


def test_type_may_be_absent_transfer_or_reversal_and_nothing_else() -> None:
    assert isinstance(judged({"type": "transfer"}), TransactionEvent)
    for kind in ("REVERSAL", "", None, ["transfer"], 1):
        rejection = judged({"type": kind})
        assert isinstance(rejection, Rejection)
        assert rejection.reason is RejectReason.TYPE_UNKNOWN


@given(amounts, st.integers(1, 30))
def test_zeros_beyond_the_eighth_decimal_are_left_out_and_no_digit_else(
    amount: str, zeros: int
) -> None:
    whole, _, decimals = amount.partition(".")
    padded = f"{whole}.{decimals.ljust(8, '0')}{'0' * zeros}"
    verdict = judged({"amount": padded})
    if Decimal(amount) > 0:
        assert taken(verdict).amount == f"{whole}.{decimals.ljust(8, '0')}"
        assert scaled(taken(verdict).amount) == scaled(amount)
    else:
        assert refused(verdict) is RejectReason.AMOUNT_NOT_POSITIVE


def test_the_first_broken_rule_in_the_order_of_the_reasons_is_told() -> None:
    every = {
        "Type": "x",
        "transaction_id": "x",
        "from_account_id": "",
        "amount": 5,
        "type": "x",
        "currency": "X",
        "occurred_at": "x",
    }
    mended = {
        "Type": ...,
        "transaction_id": EVENT["transaction_id"],
        "from_account_id": "alice",
        "amount": "1",
        "type": "transfer",
        "currency": None,
        "occurred_at": None,
    }
    told = []
    for name, value in mended.items():
        told.append(refused(judge(json.dumps({**EVENT, **every}).encode(), NOW_MS)))
        every[name] = value
        if value is ...:
            del every[name]
    assert told == [
        RejectReason.FIELD_MISSPELT,
        RejectReason.TRANSACTION_ID_INVALID,
        RejectReason.ACCOUNT_ID_INVALID,
        RejectReason.AMOUNT_NOT_A_STRING,
        RejectReason.TYPE_UNKNOWN,
        RejectReason.CURRENCY_UNKNOWN,
        RejectReason.OCCURRED_AT_INVALID,
    ]
    assert told == sorted(told, key=list(RejectReason).index)
    assert taken(judge(json.dumps({**EVENT, **every}).encode(), NOW_MS))
