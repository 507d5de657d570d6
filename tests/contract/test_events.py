"""The event schema, its examples and the event rules say the same."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from stream_jobs.event_rules import (
    BY_HISTORY,
    MEANINGS,
    Rejection,
    RejectReason,
    TransactionEvent,
    judge,
)

FOLDER = Path(__file__).parents[2] / "stream_jobs" / "event_schema"
VALID = sorted((FOLDER / "examples" / "valid").iterdir())
INVALID = sorted((FOLDER / "examples" / "invalid").iterdir())
# No JSON Schema can compare two fields.
BEYOND_A_SCHEMA = {"REVERSES_INVALID.itself.json"}
EVENT_TIME_MS = 1_700_000_000_000

SCHEMA: dict[str, Any] = json.loads((FOLDER / "transaction.v1.schema.json").read_text())
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


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
    event = judge(payload, EVENT_TIME_MS)
    assert isinstance(event, TransactionEvent)
    written = json.loads(payload)
    assert event.transaction_id == written["transaction_id"].lower()
    assert event.from_account_id == written["from_account_id"]
    assert event.to_account_id == written["to_account_id"]
    assert event.amount == written["amount"]
    assert (event.reverses or "") == (written.get("reverses") or "").lower()


@pytest.mark.parametrize("example", INVALID, ids=lambda path: path.name)
def test_an_invalid_example_is_rejected_for_the_reason_in_its_name(example: Path) -> None:
    rejection = judge(example.read_bytes(), _event_time_ms(example))
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
    assert {_reason(example) for example in INVALID} == set(RejectReason) - BY_HISTORY
    assert set(MEANINGS) == set(RejectReason)
    assert all(meaning.endswith(".") for meaning in MEANINGS.values())
