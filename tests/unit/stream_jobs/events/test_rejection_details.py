"""What a rejection says beside its reason: enough to mend the producer, and nothing of the payload."""

from __future__ import annotations

import json
from typing import Any

import pytest

from stream_jobs.events.reasons import RejectReason
from stream_jobs.events.rejection import Rejection
from stream_jobs.events.rules import judge

GOOD: dict[str, Any] = {
    "transaction_id": "018f6d3c-7c1e-7c3a-9d2b-2f6e1f0a4b5c",
    "from_account_id": "alice",
    "to_account_id": "bob",
    "amount": "1.5",
}
NOW_MS = 1_763_800_000_000


def rejected(payload: bytes) -> Rejection:
    verdict = judge(payload, NOW_MS)
    assert isinstance(verdict, Rejection)
    return verdict


@pytest.mark.parametrize(
    ("changed", "reason", "detail"),
    [
        ({"transaction_id": "x"}, "TRANSACTION_ID_INVALID", "transaction_id is no UUID"),
        ({"from_account_id": 5}, "ACCOUNT_ID_INVALID", "from_account_id is a number"),
        ({"to_account_id": None}, "ACCOUNT_ID_INVALID", "to_account_id is null"),
        (
            {"from_account_id": ""},
            "ACCOUNT_ID_INVALID",
            "from_account_id has 0 characters, 1 to 64 are allowed",
        ),
        (
            {"to_account_id": "x" * 65},
            "ACCOUNT_ID_INVALID",
            "to_account_id has 65 characters, 1 to 64 are allowed",
        ),
        (
            {"from_account_id": "\n"},
            "ACCOUNT_ID_INVALID",
            "from_account_id has a control character, U+000A",
        ),
        (
            {"to_account_id": "x" * 63 + "\x00"},
            "ACCOUNT_ID_INVALID",
            "to_account_id has a control character, U+0000",
        ),
        (
            {"to_account_id": "bob\u200b"},
            "ACCOUNT_ID_INVALID",
            "to_account_id has a character that is not seen, U+200B",
        ),
        ({"to_account_id": "bob "}, "ACCOUNT_ID_INVALID", "to_account_id has a blank at an end"),
        (
            {"to_account_id": "e\u0301"},
            "ACCOUNT_ID_INVALID",
            "to_account_id is not in Unicode's form NFC",
        ),
        ({"Type": "reversal"}, "FIELD_MISSPELT", "'Type' may stand for type"),
        ({"status": "OK"}, "FIELD_MISSPELT", "'status' may stand for type"),
        ({"re\u200bverses": "x"}, "FIELD_MISSPELT", r"'re\u200bverses' may stand for reverses"),
        (
            {"_" * 100 + "ccy": "JPY"},
            "FIELD_MISSPELT",
            f"'{'_' * 40}' may stand for currency",
        ),
        (
            {"currency": "EUR"},
            "CURRENCY_UNKNOWN",
            "currency is not the one of this deployment: none, since no currency is set",
        ),
        (
            {"occurred_at": "yesterday"},
            "OCCURRED_AT_INVALID",
            "occurred_at is no RFC 3339 instant with its offset",
        ),
        (
            {"occurred_at": "2070-01-01T00:00:00Z"},
            "OCCURRED_AT_INVALID",
            "occurred_at is before 1971-01-02 or not before 2070-01-01",
        ),
        (
            {"occurred_at": "2025-01-01T00:00:00Z"},
            "OCCURRED_AT_INVALID",
            "occurred_at is more than 30 days, 0:00:00 before the record",
        ),
        (
            {"occurred_at": "2026-01-01T00:00:00Z"},
            "OCCURRED_AT_INVALID",
            "occurred_at is more than 0:05:00 after the record",
        ),
        ({"amount": True}, "AMOUNT_NOT_A_STRING", "amount is a boolean"),
        ({"amount": 1}, "AMOUNT_NOT_A_STRING", "amount is a number"),
        ({"amount": 1.5}, "AMOUNT_NOT_A_STRING", "amount is a number"),
        ({"amount": None}, "AMOUNT_NOT_A_STRING", "amount is null"),
        ({"amount": []}, "AMOUNT_NOT_A_STRING", "amount is an array"),
        ({"amount": {}}, "AMOUNT_NOT_A_STRING", "amount is an object"),
        ({"amount": "1,5"}, "AMOUNT_MALFORMED", "amount is no plain decimal"),
        ({"amount": "0.00"}, "AMOUNT_NOT_POSITIVE", "amount is zero"),
    ],
)
def test_a_detail_names_the_field_and_what_is_wrong(
    changed: dict[str, Any], reason: str, detail: str
) -> None:
    verdict = rejected(json.dumps(GOOD | changed).encode())
    assert (verdict.reason, verdict.detail) == (RejectReason(reason), detail)


@pytest.mark.parametrize(
    ("payload", "kind"),
    [(b'"text"', "a string"), (b"[]", "an array"), (b"1", "a number"), (b"null", "null")],
)
def test_what_is_no_object_is_named(payload: bytes, kind: str) -> None:
    assert rejected(payload).detail == f"it is {kind}"


def test_a_payload_that_just_fits_is_shown_to_its_last_byte() -> None:
    assert rejected(b"a" * 1023 + b"\xc3").payload == "a" * 1023 + "\ufffd"
    assert rejected(b"a" * 1023 + "é".encode()).payload == "a" * 1023
