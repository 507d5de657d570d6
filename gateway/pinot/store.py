"""The store on Pinot: SQL sent, completeness checked, rows turned into values."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, cast

import httpx
from httpx_aiohttp import AiohttpTransport

from gateway.clock import Deadline, Monotonic
from gateway.errors import PartialAnswer, StoreUnavailable
from gateway.pinot import sql
from gateway.pinot.client import PinotClient
from gateway.pinot.progress import Progress, ProgressReader, check_rows
from gateway.pinot.response import BrokerAnswer
from gateway.pinot.rows import rows_of
from gateway.pinot.top import GROUPS_CUT, fetch_top
from gateway.query_plan import (
    DistinctPlan,
    EntriesPlan,
    ProgressPlan,
    ProgressRow,
    QueryPlan,
    RejectedPlan,
    SlotsPlan,
    TopPlan,
    TotalsPlan,
)
from gateway.settings import Settings
from gateway.store import PlanRow, StoreResult

RETRY_PAUSE_S = 0.15


@dataclass
class PinotStore:
    """Answers plans from Pinot; a complete answer or none."""

    settings: Settings
    transport: httpx.AsyncBaseTransport | None = None
    monotonic: Monotonic = time.monotonic
    sample_data: bool = field(default=False, init=False)

    async def open(self) -> None:
        """Make the connection pool; nothing is connected to yet."""
        transport = self.transport or AiohttpTransport()
        self._client = PinotClient(
            self.settings.pinot_broker_url, self.settings.pinot_connections, transport
        )
        ttl_s = self.settings.pinot_progress_ttl_ms / 1000
        self._progress = ProgressReader(self._client, ttl_s, self.monotonic)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def fetch(self, plan: QueryPlan[PlanRow], timeout_s: float) -> StoreResult[PlanRow]:
        """Answer a plan; what Pinot cannot answer completely is asked once more."""
        deadline = Deadline.after(timeout_s, self.monotonic)
        try:
            return await self._attempt(plan, deadline)
        except (StoreUnavailable, PartialAnswer):
            if deadline.remaining_s() <= 2 * RETRY_PAUSE_S:
                raise
            await asyncio.sleep(RETRY_PAUSE_S)
            return await self._attempt(plan, deadline)

    async def _attempt(self, plan: QueryPlan[PlanRow], deadline: Deadline) -> StoreResult[PlanRow]:
        progress = await self._progress.newest(deadline.remaining_s())
        if isinstance(plan, ProgressPlan):
            row = ProgressRow(progress.as_of_ms)
            return cast("StoreResult[PlanRow]", StoreResult((row,), progress.as_of_ms))
        inexact: str | None
        if isinstance(plan, TopPlan):
            top = await fetch_top(
                plan,
                lambda statement, options: self._ask(plan, progress, deadline, statement, options),
                self.settings.pinot_group_trim_threshold,
            )
            rows: tuple[Any, ...] = top.rows
            answer, inexact = top.answer, top.inexact
        else:
            answer = await self._ask(plan, progress, deadline, sql.statement(plan), {})
            rows = rows_of(plan, answer.rows)
            inexact = GROUPS_CUT if answer.groups_cut else None
        return StoreResult(rows, progress.as_of_ms, answer.total_docs, inexact)

    async def _ask(
        self,
        plan: QueryPlan[Any],
        progress: Progress,
        deadline: Deadline,
        statement: str,
        options: dict[str, str | int],
    ) -> BrokerAnswer:
        partitions = _partitions(plan, progress)
        if len(partitions) > 1:
            await self._progress.check_partitions(progress, partitions, deadline.remaining_s())
        answer = await self._client.run(statement, deadline.remaining_s(), options)
        check_rows(answer.total_docs, progress, partitions)
        return answer


def _partitions(plan: QueryPlan[Any], progress: Progress) -> frozenset[int]:
    account_ids: Iterable[str] | None = None
    match plan:
        case RejectedPlan():
            return frozenset()
        case TotalsPlan():
            account_ids = plan.account_ids
        case DistinctPlan() | TopPlan() | SlotsPlan() | EntriesPlan():
            account_ids = None if plan.account_id is None else (plan.account_id,)
    return progress.partitions_of(account_ids)
