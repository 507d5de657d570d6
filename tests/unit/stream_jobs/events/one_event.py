"""One event with some fields changed, judged; what the tests of the rules share."""

from __future__ import annotations

import json
from typing import Any

from stream_jobs.events.reasons import RejectReason
from stream_jobs.events.rejection import Rejection
from stream_jobs.events.rules import TransactionEvent, judge
from stream_jobs.events.settings import DEFAULT, EventRules

NOW_MS = 1_700_000_000_000  # 2023-11-14T22:13:20Z
EVENT = {
    "from_account_id": "alice",
    "to_account_id": "bob",
    "transaction_id": "0F8FAD5B-D9CB-469F-A165-70867728950E",
    "amount": "1000000.5",
}
ORIGINAL = "5F4DCC3B-5AA7-45D6-9D83-27DEB882CF99"


def judged(changed: dict[str, Any], rules: EventRules = DEFAULT) -> TransactionEvent | Rejection:
    """The verdict on the event with other fields."""
    return judge(json.dumps({**EVENT, **changed}).encode(), NOW_MS, rules)


def refused(verdict: TransactionEvent | Rejection) -> RejectReason:
    """Why, if it was."""
    assert isinstance(verdict, Rejection), verdict
    return verdict.reason


def taken(verdict: TransactionEvent | Rejection) -> TransactionEvent:
    """The event, if it counts."""
    assert isinstance(verdict, TransactionEvent), verdict
    return verdict
