"""The store on Pinot: SQL sent, completeness checked, rows turned into values."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, cast

from gateway.analytics.asking import PlanRow, StoreResult
from gateway.analytics.pipeline_plan import AuditPlan, ProgressPlan, ProgressRow, RejectedPlan
from gateway.analytics.query_plan import (
    AccountPlan,
    EntriesPlan,
    MatchesPlan,
    QueryPlan,
    SlotsPlan,
    TopPlan,
    TotalsPlan,
)
from gateway.errors import PartialAnswerError, StoreUnavailableError
from gateway.process import beside, traces
from gateway.process.clock import Deadline, EpochMs, Monotonic, system_epoch_ms
from gateway.settings import Settings
from gateway.store.overload.retry_budget import RetryBudget
from gateway.store.pinot import sql
from gateway.store.pinot.account_rows import fetch_rows
from gateway.store.pinot.broker_access import BrokerAccess
from gateway.store.pinot.broker_session import AiohttpSession, BrokerSession
from gateway.store.pinot.brokers import Brokers
from gateway.store.pinot.client import PinotClient
from gateway.store.pinot.kept import forgotten
from gateway.store.pinot.listing import fetch_by_amount
from gateway.store.pinot.partition import partition_of
from gateway.store.pinot.progress import Progress, ProgressReader, check_rows
from gateway.store.pinot.remembered import RememberedRankings
from gateway.store.pinot.response import BrokerAnswer
from gateway.store.pinot.rows import merge, rows_of
from gateway.store.pinot.top import GROUPS_CUT, fetch_top
from gateway.store.rows.asked import RowsPlan

RETRY_PAUSE_S = 0.15


@dataclass
class PinotStore:
    """Answers plans from Pinot; a complete answer or none."""

    settings: Settings
    session: BrokerSession | None = None
    access: BrokerAccess = field(default_factory=BrokerAccess)
    monotonic: Monotonic = time.monotonic
    epoch_ms: EpochMs = system_epoch_ms
    sample_data: bool = field(default=False, init=False)
    tells_rows: bool = field(default=True, init=False)
    _retries: RetryBudget = field(default_factory=RetryBudget, init=False)
    rankings: RememberedRankings = field(default_factory=RememberedRankings, init=False)

    async def open(self) -> None:
        """Make the connection pool; nothing is connected to yet."""
        urls = [each.strip() for each in self.settings.pinot_broker_url.split(",")]
        session = self.session or self._session(urls)
        self._client = PinotClient(urls[0], session, self.settings.pipeline)
        ttl_s = self.settings.pinot_progress_ttl_ms / 1000
        self._progress = ProgressReader(self._client, ttl_s, self.monotonic)

    def _session(self, urls: list[str]) -> BrokerSession:
        def connect() -> AiohttpSession:
            return AiohttpSession(self.settings.pinot_connections, self.access)

        if len(urls) == 1:
            return connect()
        several = Brokers(urls, connect)
        several.start()
        return several

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def fetch(self, plan: QueryPlan[PlanRow], timeout_s: float) -> StoreResult[PlanRow]:
        """Answer a plan; what Pinot cannot answer completely is asked once more, within a budget."""
        deadline = Deadline.after(timeout_s, self.monotonic)
        try:
            answer = await self._attempt(plan, deadline)
        except (StoreUnavailableError, PartialAnswerError):
            if deadline.remaining_s() <= 2 * RETRY_PAUSE_S or not self._retries.takes_one():
                raise
            traces.note("gateway.store.retries", 1)
            await asyncio.sleep(RETRY_PAUSE_S)
            answer = await self._attempt(plan, deadline)
        self._retries.succeeded()
        return answer

    async def _attempt(self, plan: QueryPlan[PlanRow], deadline: Deadline) -> StoreResult[PlanRow]:
        progress = await self._progress.newest(deadline.remaining_s())
        erasures = progress.erasures
        if isinstance(plan, ProgressPlan):
            row = ProgressRow(progress.as_of_ms)
            result = StoreResult((row,), progress.as_of_ms, erasures=erasures)
            return cast("StoreResult[PlanRow]", result)
        if isinstance(plan, RowsPlan):
            partitions = len(progress.entry_docs)
            told = await fetch_rows(
                plan,
                lambda account_id: partition_of(account_id, partitions),
                lambda statement, accounts: self._ask(
                    plan, progress, deadline, statement, {}, accounts
                ),
            )
            found = StoreResult(told, progress.as_of_ms, erasures=erasures)
            return cast("StoreResult[PlanRow]", found)
        inexact: str | None
        if isinstance(plan, TopPlan):
            top = await fetch_top(
                plan,
                lambda statement, options: self._ask(plan, progress, deadline, statement, options),
                self.settings.pinot_group_trim_threshold,
                self.rankings.after(erasures),
                progress.as_of_ms,
            )
            rows: tuple[Any, ...] = top.rows
            answer, inexact = top.answer, top.inexact
        elif isinstance(plan, EntriesPlan) and plan.order.by_amount:
            listed = await fetch_by_amount(
                plan, lambda statement: self._ask(plan, progress, deadline, statement, {})
            )
            rows, answer, inexact = listed.rows, listed.answer, listed.inexact
        else:
            answers = await asyncio.gather(
                *(
                    self._ask(plan, progress, deadline, sql.statement(piece, part), {})
                    for piece in _pieces(plan)
                    for part in sql.parts(piece)
                )
            )
            rows = await beside.done(
                sum(len(each.rows) for each in answers),
                lambda: merge(plan, [rows_of(plan, each.rows) for each in answers]),
            )
            answer = min(answers, key=lambda each: each.total_docs)
            inexact = GROUPS_CUT if any(each.groups_cut for each in answers) else None
        kept_days, now_ms = self.settings.entries_kept_days, self.epoch_ms()
        inexact = inexact or forgotten(plan, kept_days, now_ms, is_empty=not rows)
        return StoreResult(rows, progress.as_of_ms, answer.total_docs, inexact, erasures=erasures)

    async def _ask(
        self,
        plan: QueryPlan[Any],
        progress: Progress,
        deadline: Deadline,
        statement: str,
        options: dict[str, str | int],
        accounts: frozenset[str] | None = None,
    ) -> BrokerAnswer:
        """A statement's answer, proven whole; `accounts`: whose partitions it is over, if not all of the plan's."""
        partitions: frozenset[int] = frozenset()
        if not isinstance(plan, RejectedPlan | AuditPlan):
            partitions = progress.partitions_of(accounts or _accounts(plan))
            if len(partitions) > 1:
                await self._progress.check_partitions(progress, partitions, deadline.remaining_s())
        answer = await self._client.run(statement, deadline.remaining_s(), options)
        if isinstance(plan, RejectedPlan):
            check_rows(answer.total_docs, progress.rejected_docs)
        elif not isinstance(plan, AuditPlan):  # an audit's report says itself how old it is
            progress.check(answer, partitions)
        return answer


def _pieces(plan: QueryPlan[Any]) -> tuple[QueryPlan[Any], ...]:
    """What a statement can ask for: slots on one grid."""
    return plan.pieces if isinstance(plan, SlotsPlan) else (plan,)


def _accounts(plan: QueryPlan[Any]) -> Iterable[str] | None:
    """Whose entries a plan's filter keeps, as Pinot prunes by it; `None`: everyone's."""
    match plan:
        case TopPlan(account_ids=None):
            return plan.among
        case TotalsPlan() | AccountPlan():
            return plan.account_ids
        case EntriesPlan() | MatchesPlan():
            return (plan.account_id,)
        case _:
            return None
