"""The rules: what a question's window is, which plans it takes, and how their rows answer it."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from gateway.access.caller import Caller, Scope
from gateway.analytics import earlier, money, slots, window
from gateway.analytics.asking import Asking, StoreResult
from gateway.analytics.cursor import Cursors
from gateway.analytics.limits import Limits
from gateway.analytics.model import (
    Calendar,
    CalendarPeriod,
    Compared,
    Comparison,
    Direction,
    Evidence,
    Fill,
    Granularity,
    Interval,
    Measures,
    MeasuresChange,
    NetFlow,
    Series,
    Totals,
    TransactionKind,
    WholeUnits,
    Window,
    WindowChoice,
)
from gateway.analytics.pipeline_model import AuditState, AuditStatus, PipelineStatus
from gateway.analytics.query_plan import (
    AuditPlan,
    DistinctPlan,
    EntryCountPlan,
    ProgressPlan,
    ReasonRow,
    RejectedPlan,
    SlotsPlan,
    TotalsPlan,
    TotalsRow,
)

NOTHING = Measures(0, money.ZERO)
# A reject flood: at least half of so many events within so long. The job's metrics mean the same by it.
FLOOD_WINDOW_MS = 60_000
FLOOD_LEAST_EVENTS = 1_000
AUDIT_BEHIND_MS = 60_000  # the pipeline's promise; the audit itself takes seconds


@dataclass(frozen=True, slots=True)
class Analytics:
    """Answers a caller's questions about one account (`account_id` of `None`: the network).

    `now_ms` is where windows end that end now; `clock` tells epoch milliseconds, a little later ones.
    `by_kind`: totals know how much of them is reversals; nobody asks for that otherwise.
    """

    store: Asking
    now_ms: int
    limits: Limits
    sample_data: bool
    caller: Caller
    clock: Callable[[], int]
    cursors: Cursors
    by_kind: bool = False
    _true_for_ms: list[int] = field(default_factory=list, init=False, compare=False)

    def scope(self, account_id: str | None) -> Scope:
        """The proof that the caller may read what a plan asks for; raises `ForbiddenError`."""
        if account_id is None:
            return self.caller.may_read_network()
        return self.caller.may_read((account_id,))

    def totals_plan(
        self,
        account_id: str | None,
        directions: Iterable[Direction],
        interval: Interval,
        counterparty_id: str | None = None,
    ) -> TotalsPlan:
        """The plan of totals, such as all fields of this operation share."""
        return TotalsPlan(
            self.scope(account_id),
            frozenset(directions),
            interval,
            self.by_kind,
            self.named(counterparty_id),
        )

    def named(self, counterparty_id: str | None) -> str | None:
        """The id of another account, if the caller may search by it; raises `ForbiddenError`."""
        if counterparty_id is not None:
            self.caller.may_name(counterparty_id)
        return counterparty_id

    def window(self, choice: WindowChoice, calendar: Calendar) -> Window:
        """What a caller's window means in this operation."""
        asked = window.resolve(choice, self.now_ms, calendar, self.limits.max_window_days)
        if isinstance(choice, CalendarPeriod | WholeUnits):
            self._true_for_ms.append(window.turn_ms(choice, self.now_ms, calendar) - self.clock())
        return asked

    def compared(
        self, choice: WindowChoice, asked: Window, with_: Compared | None
    ) -> Window | None:
        """The window that an answer about `asked` is compared with, if any."""
        if with_ is None:
            return None
        if isinstance(with_, Comparison):
            return earlier.earlier(choice, asked, with_, self.now_ms)
        return self.window(with_, asked.calendar)

    @property
    def true_for_s(self) -> float:
        """How long the windows asked for so far mean the same: up to the first that turns."""
        return min(self._true_for_ms, default=math.inf) / 1000

    async def totals(
        self,
        account_id: str | None,
        choice: WindowChoice,
        calendar: Calendar,
        direction: Direction,
        compare_to: Compared | None,
        counterparty_id: str | None = None,
    ) -> Totals:
        """Count, amount and average of one direction, and the change since an earlier window."""
        asked = self.window(choice, calendar)
        before = self.compared(choice, asked, compare_to)
        if before is None:
            result = await self._totals(account_id, direction, asked.interval, counterparty_id)
            evidence, change = evidence_of(result), None
            measures = measures_of(result.rows, direction)
        else:
            result, then = await asyncio.gather(
                self._totals(account_id, direction, asked.interval, counterparty_id),
                self._totals(account_id, direction, before.interval, counterparty_id),
            )
            evidence = merge((evidence_of(result), evidence_of(then)))
            measures = measures_of(result.rows, direction)
            change = measures_change(before, measures, measures_of(then.rows, direction))
        average = money.average(measures.transaction_amount, measures.transaction_count)
        return Totals(
            account_id=account_id,
            direction=direction,
            window=asked,
            evidence=evidence,
            measures=measures,
            average_amount=average,
            comparison=change,
            reversals=self._reversals(result.rows, direction),
            counterparty_id=counterparty_id,
        )

    async def counterparty_count(
        self,
        account_id: str | None,
        direction: Direction,
        interval: Interval,
        not_before: int | None = None,
    ) -> int:
        """How many different accounts were on the other side."""
        plan = DistinctPlan(self.scope(account_id), direction, interval)
        result = await self.store.fetch(plan, not_before)
        return result.rows[0].account_count

    async def net_flow(
        self,
        account_id: str,
        choice: WindowChoice,
        calendar: Calendar,
        counterparty_id: str | None = None,
    ) -> NetFlow:
        """Received, sent, and received minus sent, out of one look at the store."""
        asked = self.window(choice, calendar)
        plan = self.totals_plan(account_id, Direction, asked.interval, counterparty_id)
        result = await self.store.fetch(plan)
        received = measures_of(result.rows, Direction.RECEIVED)
        sent = measures_of(result.rows, Direction.SENT)
        return NetFlow(
            account_id=account_id,
            window=asked,
            evidence=evidence_of(result),
            received=received,
            sent=sent,
            net_amount=money.subtract(received.transaction_amount, sent.transaction_amount),
            received_reversals=self._reversals(result.rows, Direction.RECEIVED),
            sent_reversals=self._reversals(result.rows, Direction.SENT),
        )

    async def series(
        self,
        account_id: str | None,
        choice: WindowChoice,
        calendar: Calendar,
        direction: Direction,
        granularity: Granularity,
        fill: Fill,
        counterparty_id: str | None = None,
    ) -> Series:
        """Measures a bucket; buckets begin where the zone's calendar says."""
        asked = self.window(choice, calendar)
        edges = window.edges(asked, granularity, self.limits.max_points)
        plan = SlotsPlan(
            self.scope(account_id),
            direction,
            asked.interval,
            *slots.grid(edges),
            counterparty_id=self.named(counterparty_id),
        )
        result = await self.store.fetch(plan)
        known_ms = min(self.now_ms, result.as_of_ms)
        cut = window.buckets(asked, granularity, known_ms, self.limits.max_points)
        points = slots.fold(cut, result.rows)
        if fill is Fill.NONE:
            points = tuple(each for each in points if each.measures.transaction_count)
        return Series(asked, evidence_of(result), granularity, points)

    async def pipeline(self) -> PipelineStatus:
        """How far the pipeline has come."""
        as_of_ms = (await self.store.fetch(ProgressPlan())).rows[0].as_of_ms
        freshness_s = max(0, self.clock() - as_of_ms) / 1000
        return PipelineStatus(as_of_ms, freshness_s, self.sample_data)

    async def reject_flood(self) -> bool:
        """Whether of the events in the last minute before `asOf`, if they were many, most were rejected."""
        end_ms = (await self.store.fetch(ProgressPlan())).rows[0].as_of_ms
        minute = Interval(end_ms - FLOOD_WINDOW_MS, end_ms)
        reasons = (await self.store.fetch(RejectedPlan(self.scope(None), minute))).rows
        rejected = sum(row.count for row in reasons)
        if 2 * rejected < FLOOD_LEAST_EVENTS:
            return False
        counted = await self._totals(None, Direction.RECEIVED, minute)
        transfers = measures_of(counted.rows, Direction.RECEIVED).transaction_count
        return rejected >= transfers and rejected + transfers >= FLOOD_LEAST_EVENTS

    async def audit(self) -> AuditStatus:
        """Whether the pipeline's tiers agree. What was found wrong stays so when the audit is behind."""
        scope = self.scope(None)
        if self.sample_data:
            return AuditStatus(AuditState.NOT_APPLICABLE, None)
        rows = (await self.store.fetch(AuditPlan(scope))).rows
        if not rows:
            return AuditStatus(AuditState.BEHIND, None)
        report = rows[0]
        state = AuditState.CONSISTENT
        if self.now_ms - min(report.through_ms, report.recorded_at_ms) > AUDIT_BEHIND_MS:
            state = AuditState.BEHIND
        if report.open_intervals:
            state = AuditState.INCONSISTENT
        return AuditStatus(state, report)

    async def entry_count(self) -> int:
        """All entries since the beginning."""
        return (await self.store.fetch(EntryCountPlan(self.scope(None)))).rows[0].count

    async def rejected(
        self, choice: WindowChoice | None, calendar: Calendar
    ) -> tuple[ReasonRow, ...]:
        """Rejected events by reason; without a window, since the beginning."""
        interval = None if choice is None else self.window(choice, calendar).interval
        return (await self.store.fetch(RejectedPlan(self.scope(None), interval))).rows

    async def _totals(
        self,
        account_id: str | None,
        direction: Direction,
        interval: Interval,
        counterparty_id: str | None = None,
    ) -> StoreResult[TotalsRow]:
        plan = self.totals_plan(account_id, {direction}, interval, counterparty_id)
        return await self.store.fetch(plan)

    def _reversals(self, rows: Iterable[TotalsRow], direction: Direction) -> Measures | None:
        return reversals_of(rows, direction) if self.by_kind else None


def measures_of(rows: Iterable[TotalsRow], direction: Direction) -> Measures:
    """The measures of one direction, reversals subtracted; zero if there is no such row."""
    return slots.summed([row for row in rows if row.direction is direction])


def reversals_of(rows: Iterable[TotalsRow], direction: Direction) -> Measures:
    """How many reversals are in one direction's rows by kind, and what they took back."""
    found = slots.summed(
        [row for row in rows if row.direction is direction and row.kind is TransactionKind.REVERSAL]
    )
    return Measures(found.transaction_count, money.subtract(money.ZERO, found.transaction_amount))


def evidence_of(result: StoreResult[object]) -> Evidence:
    """What a result says about itself."""
    return Evidence(result.as_of_ms, result.inexact)


def merge(evidences: Iterable[Evidence]) -> Evidence:
    """The evidence of an answer put together: as old as its oldest part, inexact if any part is."""
    parts = tuple(evidences)
    reasons = (part.inexact for part in parts if part.inexact is not None)
    return Evidence(min(part.as_of_ms for part in parts), next(reasons, None))


def measures_change(before: Window, now: Measures, previous: Measures) -> MeasuresChange:
    """Differences to an earlier window, and their ratios to it."""
    count_change = now.transaction_count - previous.transaction_count
    amount_change = money.subtract(now.transaction_amount, previous.transaction_amount)
    return MeasuresChange(
        window=before,
        previous=previous,
        count_change=count_change,
        amount_change=amount_change,
        count_change_ratio=money.ratio(
            money.exact(count_change), money.exact(previous.transaction_count)
        ),
        amount_change_ratio=money.ratio(amount_change, previous.transaction_amount),
    )
