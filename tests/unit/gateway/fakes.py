"""Stand-ins for the gateway's collaborators: a store, a broker, clocks."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gateway.analytics.asking import StoreResult
from gateway.analytics.model import Entry
from gateway.analytics.pipeline_model import AuditReport
from gateway.analytics.pipeline_plan import (
    AuditPlan,
    ProgressPlan,
    ProgressRow,
    ReasonRow,
    RejectedPlan,
)
from gateway.analytics.query_plan import QueryPlan
from gateway.errors import GatewayError
from gateway.store.pinot.broker_session import BrokerReply
from tests.reference import evaluate

NOW_MS = 1_763_800_000_000
AS_OF_MS = NOW_MS - 1_000


@dataclass
class ReferenceStore:
    """A store that evaluates plans in plain Python, and remembers what it was asked."""

    entries: Sequence[Entry] = ()
    rejected: Sequence[tuple[str, int]] = ()  # reason and event time
    error: GatewayError | None = None
    inexact: str | None = None
    sample_data: bool = False
    as_of_ms: int = AS_OF_MS
    audit: AuditReport | None = None
    plans: list[QueryPlan[Any]] = field(default_factory=list)

    async def open(self) -> None:
        """Nothing to open."""

    async def close(self) -> None:
        """Nothing to close."""

    async def fetch(self, plan: QueryPlan[Any], timeout_s: float) -> StoreResult[Any]:
        """The reference's rows."""
        assert timeout_s > 0
        self.plans.append(plan)
        if self.error is not None:
            raise self.error
        if isinstance(plan, ProgressPlan):
            return StoreResult((ProgressRow(self.as_of_ms),), self.as_of_ms)
        if isinstance(plan, RejectedPlan):
            inside = [
                reason
                for reason, time_ms in self.rejected
                if plan.interval is None or plan.interval.start_ms <= time_ms < plan.interval.end_ms
            ]
            counted = tuple(ReasonRow(reason, n) for reason, n in Counter(inside).most_common())
            return StoreResult(counted, self.as_of_ms)
        if isinstance(plan, AuditPlan):
            return StoreResult(() if self.audit is None else (self.audit,), self.as_of_ms)
        rows = tuple(evaluate(plan, self.entries))
        return StoreResult(rows, self.as_of_ms, len(self.entries), self.inexact)


def broker_answer(
    rows: list[list[Any]], types: list[str] | None = None, **changed: Any
) -> dict[str, Any]:
    """A broker's JSON for some rows."""
    columns = types or ["STRING"] * (len(rows[0]) if rows else 1)
    return {
        "resultTable": {
            "dataSchema": {
                "columnNames": [f"c{number}" for number in range(len(columns))],
                "columnDataTypes": columns,
            },
            "rows": rows,
        },
        "exceptions": [],
        "numServersQueried": 1,
        "numServersResponded": 1,
        "numDocsScanned": 10,
        "totalDocs": 1_000,
        "numConsumingSegmentsQueried": 1,
        "numGroupsLimitReached": False,
    } | changed


PROGRESS = broker_answer(
    [[AS_OF_MS, "[100, 100, 100, 100]", 0, 2, 0, AS_OF_MS, ""]],
    ["LONG", "STRING", *["LONG"] * 4, "STRING"],
)


@dataclass
class FakeBroker:
    """A broker by rule: `answer` gives the JSON for an SQL text.

    Progress has its own answer, and so has the number of rows that a ranking is over.
    """

    answer: Callable[[str], dict[str, Any]]
    progress: dict[str, Any] = field(default_factory=lambda: PROGRESS)
    row_count: int = 10
    statements: list[str] = field(default_factory=list)
    options: list[str] = field(default_factory=list)

    def session(self) -> FakeSession:
        """The session that a client reaches it by."""

        def reply(body: Mapping[str, str]) -> bytes:
            if "pipeline_progress" in body["sql"]:
                answer = self.progress
            elif body["sql"].startswith("SELECT COUNT(*)") and "AND direction" in body["sql"]:
                answer = broker_answer([[self.row_count]], ["LONG"])
            else:
                self.statements.append(body["sql"])
                self.options.append(body["queryOptions"])
                answer = self.answer(body["sql"])
            return json.dumps(answer).encode()

        return FakeSession(reply)


@dataclass
class FakeSession:
    """Connections to a broker by rule: `reply` gives the bytes for a request's body, or raises."""

    reply: Callable[[Mapping[str, str]], bytes]

    async def post(
        self, _url: str, *, json: Mapping[str, str], headers: Mapping[str, str], timeout_s: float
    ) -> BrokerReply:
        """The rule's reply."""
        assert timeout_s > 0
        assert "X-Correlation-Id" in headers
        return BrokerReply(200, self.reply(json))

    async def aclose(self) -> None:
        """Nothing to close."""
