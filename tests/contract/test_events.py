"""The event schema, its examples and the event rules say the same."""

from __future__ import annotations

import json
import re
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream_jobs.events.account_ids import HIDDEN
from stream_jobs.events.field_names import NEAR, OPTIONAL, REQUIRED, look_at
from stream_jobs.events.reasons import BY_OTHERS, MEANINGS, RejectReason
from stream_jobs.events.rejection import Rejection
from stream_jobs.events.rules import TransactionEvent, judge
from stream_jobs.events.settings import EventRules

FOLDER = Path(__file__).parents[2] / "stream_jobs" / "events" / "schema"
VALID = sorted((FOLDER / "examples" / "valid").iterdir())
INVALID = sorted((FOLDER / "examples" / "invalid").iterdir())
# No JSON Schema can compare two fields or a field with the record, knows a deployment's currency, or NFC.
BEYOND_A_SCHEMA = {
    "REVERSES_INVALID.itself.json",
    "CURRENCY_UNKNOWN.another.json",
    "ACCOUNT_ID_INVALID.decomposed.json",
    "ACCOUNT_ID_INVALID.compatibility_singleton.json",
    "OCCURRED_AT_INVALID.31_days_before_the_record.json",
    "OCCURRED_AT_INVALID.6_minutes_after_the_record.json",
    "OCCURRED_AT_INVALID.@31622400000.before_1971_01_02.json",
    "OCCURRED_AT_INVALID.february_30.json",
    "OCCURRED_AT_INVALID.year_0000.json",
}
RULES = EventRules(currency="EUR")
EVENT_TIME_MS = 1_700_000_000_000

SCHEMA: dict[str, Any] = json.loads((FOLDER / "transaction.v1.schema.json").read_text())
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
PROPERTY_NAMES = {**SCHEMA["propertyNames"], "$defs": SCHEMA["$defs"]}


def _event_time_ms(example: Path) -> int:
    """The record's timestamp, where the file's name says one as `@milliseconds`."""
    stated = [part for part in example.name.split(".") if part.startswith("@")]
    return int(stated[0][1:]) if stated else EVENT_TIME_MS


def _reason(example: Path) -> RejectReason:
    return RejectReason(example.name.split(".")[0])


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("example", VALID, ids=lambda path: path.stem)
def test_a_valid_example_keeps_to_the_schema_and_the_rules(example: Path) -> None:
    payload = example.read_bytes()
    VALIDATOR.validate(json.loads(payload))
    event = judge(payload, EVENT_TIME_MS, RULES)
    assert isinstance(event, TransactionEvent)
    written = json.loads(payload)
    assert event.transaction_id == written["transaction_id"].lower()
    assert event.from_account_id == written["from_account_id"]
    assert event.to_account_id == written["to_account_id"]
    assert written["amount"].startswith(event.amount)
    assert Decimal(event.amount) == Decimal(written["amount"])
    assert (event.event_time_ms == EVENT_TIME_MS) == (not written.get("occurred_at"))
    assert (event.reverses or "") == (written.get("reverses") or "").lower()


@pytest.mark.parametrize("example", INVALID, ids=lambda path: path.name)
def test_an_invalid_example_is_rejected_for_the_reason_in_its_name(example: Path) -> None:
    rejection = judge(example.read_bytes(), _event_time_ms(example), RULES)
    assert isinstance(rejection, Rejection)
    assert rejection.reason is _reason(example)
    assert 3 <= len(rejection.detail) <= 200


@pytest.mark.parametrize(
    "example",
    [
        path
        for path in INVALID
        if path.suffix == ".json" and path.name not in BEYOND_A_SCHEMA
        if _reason(path) is not RejectReason.TIME_OUT_OF_RANGE
    ],
    ids=lambda path: path.name,
)
def test_what_is_json_and_invalid_breaks_the_schema_too(example: Path) -> None:
    assert not VALIDATOR.is_valid(json.loads(example.read_bytes()))


def test_every_reason_has_a_meaning_and_each_that_one_record_can_have_an_example() -> None:
    assert {_reason(example) for example in INVALID} == set(RejectReason) - BY_OTHERS
    assert set(MEANINGS) == set(RejectReason)
    assert all(meaning.endswith(".") for meaning in MEANINGS.values())


def test_schema_and_rules_refuse_the_same_characters_in_an_account_id() -> None:
    hidden = {number for first, last in HIDDEN for number in range(first, last + 1)}
    seen_by_schema = re.compile(SCHEMA["$defs"]["accountId"]["pattern"]).search
    disagreed = [
        f"U+{number:04X}"
        for number in range(sys.maxunicode + 1)
        if not 0xD800 <= number < 0xE000  # no JSON that is UTF-8 has half a surrogate pair
        if bool(seen_by_schema(chr(number))) != (number not in hidden)
    ]
    assert disagreed == []


NAMES = sorted({*REQUIRED, *OPTIONAL})


def test_the_schema_refuses_every_near_name_that_the_rules_refuse() -> None:
    near = SCHEMA["$defs"]["misspelt"]["anyOf"][1]["enum"]
    assert near == sorted(name for names in NEAR.values() for name in names)


@given(st.sampled_from(NAMES), st.sampled_from(["_", "-", " ", "", "__", "."]), st.data())
def test_schema_and_rules_refuse_the_same_spellings_of_a_known_name(
    name: str, separator: str, data: st.DataObject
) -> None:
    spelt = separator.join(
        data.draw(st.sampled_from([word, word.upper(), word.title()])) for word in name.split("_")
    )
    refused = not VALIDATOR.evolve(schema=PROPERTY_NAMES).is_valid(spelt)
    assert refused == bool(look_at((spelt,)).misspelt) == (spelt != name)


@given(st.text(alphabet="abcdeijmnoprstuxyAB_- ", max_size=12))
def test_a_name_that_the_schema_refuses_the_rules_refuse_too(name: str) -> None:
    if not VALIDATOR.evolve(schema=PROPERTY_NAMES).is_valid(name):
        assert look_at((name,)).misspelt


def test_the_api_tells_the_names_of_all_reasons() -> None:
    sdl = (FOLDER.parents[2] / "graphql_schema" / "schema.graphql").read_text()
    assert f"{', '.join(RejectReason)}." in sdl
