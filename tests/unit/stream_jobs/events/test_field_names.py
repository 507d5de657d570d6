"""Names near known ones are refused whatever they say; all others are ignored."""

from __future__ import annotations

import json

import pytest

from stream_jobs.events.reasons import RejectReason
from stream_jobs.events.rules import judge
from tests.unit.stream_jobs.events.one_event import EVENT, NOW_MS, ORIGINAL, judged, refused, taken


@pytest.mark.parametrize(
    "name",
    [
        *("Type", "TYPE", " type", "type\n", "t-y-p-e", "ｔｙｐｅ", "type\u200b", "\ufefftype"),
        *(
            "Amount",
            "currencyCode",
            "fromAccountId",
            "transactionId",
            "To Account ID",
            "OccurredAt",
        ),
        *("reversal_of", "reversalOf", "Reversal-Of", "REVERSED", "Status", "isCancelled", "state"),
        *("ReverseS", "refund.of", "eventTime", "ccy", "kind", "original_transaction_id"),
    ],
)
def test_a_name_that_may_stand_for_a_known_one_is_refused_whatever_it_says(name: str) -> None:
    for value in (None, "", "transfer", ORIGINAL, False, 5):
        assert refused(judged({name: value})) is RejectReason.FIELD_MISSPELT


@pytest.mark.parametrize("name", ["fromAccountId", "FROM_ACCOUNT_ID", "from-account-id"])
def test_another_spelling_in_place_of_a_required_field_is_called_misspelt_not_missing(
    name: str,
) -> None:
    event = {key: value for key, value in EVENT.items() if key != "from_account_id"}
    payload = json.dumps({**event, name: "alice"}).encode()
    assert refused(judge(payload, NOW_MS)) is RejectReason.FIELD_MISSPELT


@pytest.mark.parametrize(
    "name",
    [
        *(
            "memo",
            "timestamp",
            "created_at",
            "time",
            "date",
            "fee",
            "country",
            "channel",
            "typ",
            "",
        ),
        *(
            "types",
            "statuses",
            "amounts",
            "metadata",
            "reference",
            "value_date",
            "stated",
            "accounts",
        ),
        *("тype", "payment_type", "_", "\u0000", "from", "to", "account_id", "note", "description"),
    ],
)
def test_names_that_are_not_near_are_ignored_whatever_they_say(name: str) -> None:
    assert taken(judged({name: "reversal"})) == taken(judged({}))


def test_as_many_other_fields_as_fit_are_ignored() -> None:
    assert taken(judged({f"x{number}": 0 for number in range(1_000)})) == taken(judged({}))
