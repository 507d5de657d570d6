"""Which occurrence counted, and which reversal took effect, where the raw topic does not say: as the entries show."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from stream_jobs.recount import Recount, Transfer, scaled
from stream_jobs.recount_reversals import Claim, Sides
from stream_jobs.topic_reader import Record


def undecided(recount: Recount, settled: set[bytes]) -> set[bytes]:
    """The ids of transfers of which either is open."""
    return (recount.ambiguous().keys() | recount.contested()) - settled


def settle(recount: Recount, entries: Iterable[Record], open_: set[bytes]) -> set[bytes]:
    """Tell the recount; returns those of the ids that the entries settle. Of the rest the sums will differ."""
    ambiguous, found = recount.ambiguous(), set()
    for record in entries:
        entry: Mapping[str, Any] = orjson.loads(record.value or b"{}")
        if entry.get("direction") != "RECEIVED":
            continue
        id_ = _bytes(entry["transaction_id"])
        sides = (entry["counterparty_id"], entry["account_id"])
        amount, time_ms = scaled(entry["amount"]), entry["event_time_ms"]
        if entry.get("kind") == "REVERSAL":
            original = _bytes(entry["reverses"])
            claim = Claim(original, Sides(*sides, -amount), time_ms)
            if original in open_ and recount.reversals.settle(id_, claim):
                found.add(original)
        elif id_ in open_ and id_ in ambiguous:
            counted = Transfer(*sides, amount, time_ms)
            if counted in ambiguous[id_]:
                recount.settle(id_, counted)
                found.add(id_)
    return found


def _bytes(transaction_id: str) -> bytes:
    return bytes.fromhex(transaction_id.replace("-", ""))
