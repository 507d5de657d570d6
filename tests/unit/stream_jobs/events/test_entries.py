"""Entries are compared by their bytes, so those that are expected are written as the job writes them."""

from __future__ import annotations

import json

import pytest

from stream_jobs.events.entries import entry_values
from stream_jobs.events.rules import TransactionEvent

FIELDS = [
    *("account_id", "counterparty_id", "direction", "transaction_id", "amount", "event_time_ms"),
    *("kind", "reverses", "kafka_partition", "kafka_offset"),
]


@pytest.mark.parametrize(
    "account", ["acct-1", 'a"b', "back\\slash", "größe", "日本", "😀", "\u2028", "a/b", "\x7f", "'"]
)
@pytest.mark.parametrize("reverses", [None, "0b0e9a4c-2f3a-4f0e-9d57-3f0c0f8a1b2c"])
def test_the_values_are_compact_json_with_the_jobs_fields_in_its_order(
    account: str, reverses: str | None
) -> None:
    event = TransactionEvent("id", account, "other", "1.50", 1_795_000_000_000, reverses)
    received, sent = entry_values(event, 3, 99)
    for value, sides in ((received, ("other", account)), (sent, (account, "other"))):
        body = json.loads(value)
        assert list(body) == FIELDS
        assert (body["account_id"], body["counterparty_id"]) == sides
        assert (body["kafka_partition"], body["kafka_offset"]) == (3, 99)
        assert (body["amount"], body["reverses"]) == ("-1.50" if reverses else "1.50", reverses)
        compact = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
        assert value == compact
