"""From GraphQL input to the model, one call to the rules, and back; no rules here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any, cast

from gateway.access.account_id import MAX_ACCOUNT_ID_LENGTH, check_account_id
from gateway.analytics import entries, limits, ranking
from gateway.analytics import model as m
from gateway.analytics.questions import Analytics
from gateway.analytics.ranking import RankingQuestion
from gateway.execution import presenting
from gateway.execution.context import OperationContext, Path
from graphql_schema import answers, enums, inputs, system
from graphql_schema.port import ListArguments
from graphql_schema.scalars import Long, TimeZone
from graphql_schema.transactions import Transaction, TransactionConnection


@dataclass(frozen=True, slots=True)
class _RowSource:
    """What a row's share is a share of."""

    ranking: m.Ranking
    row: m.Ranked


@dataclass(frozen=True, slots=True)
class _RemainderSource:
    """Which part of a ranking a remainder is: the others, or all."""

    ranking: m.Ranking
    others: bool


@dataclass(frozen=True, slots=True)
class GatewayResolvers:
    """The resolvers for one field of one operation."""

    context: OperationContext
    path: Path

    def account_id(self, account_id: str, argument: str) -> str:
        """The id, if it can be one and the caller may read it."""
        checked = check_account_id(account_id, argument)
        self.context.accounts.add(checked)
        self._rules.caller.may_read((checked,))
        return checked

    def account_ids(self, account_ids: Sequence[str]) -> Sequence[str]:
        """The ids without repetitions, if not too many and the caller may read them all."""
        checked = limits.check_account_ids(account_ids, self._rules.limits.max_accounts)
        self.context.accounts.update(checked)
        self._rules.caller.may_read(checked)
        return checked

    def network(self) -> None:
        """Refuse whoever may not read the network's figures."""
        self._rules.caller.may_read_network()

    async def totals(
        self,
        account_id: str | None,
        window: inputs.WindowInput,
        direction: enums.Direction,
        time_zone: TimeZone,
        calendar: inputs.CalendarInput | None,
        compare_to: enums.Comparison | None,
        compare_window: inputs.WindowInput | None,
        counterparty_id: str | None,
    ) -> answers.Totals:
        """Totals of one direction."""
        totals = await self._rules.totals(
            account_id,
            presenting.choice_of(window),
            presenting.calendar_of(time_zone, calendar),
            m.Direction(direction.value),
            presenting.compared_of(compare_to, compare_window),
            _counterparty(counterparty_id),
        )
        self._note(totals.evidence)
        return presenting.totals_of(totals, self._final_after_days)

    async def counterparty_count(self, source: object) -> int:
        """Different accounts behind totals."""
        side = cast("m.Side", source)
        if side.counterparties is not None:
            return side.counterparties
        return await self._rules.counterparty_count(side.account_id, side.direction, side.interval)

    def reversals(self, source: object) -> answers.ReversalTotals:
        """The reversals behind totals, out of the same rows."""
        reversals = cast("m.Side", source).reversals
        if reversals is None:
            raise TypeError("these totals were not asked for by kind")
        return presenting.reversals_of(reversals)

    async def top_counterparties(
        self,
        account_id: str,
        window: inputs.WindowInput,
        direction: enums.Direction,
        first: int,
        order_by: enums.RankBy,
        time_zone: TimeZone,
        calendar: inputs.CalendarInput | None,
        compare_to: enums.Comparison | None,
        compare_window: inputs.WindowInput | None,
    ) -> answers.TopCounterparties:
        """The first counterparties by a measure."""
        ranked = await self._ranked(
            account_id,
            window,
            direction,
            first,
            order_by,
            time_zone,
            calendar,
            compare_to,
            compare_window,
        )
        return answers.TopCounterparties(**ranked)

    async def top_accounts(
        self,
        window: inputs.WindowInput,
        direction: enums.Direction,
        first: int,
        order_by: enums.RankBy,
        time_zone: TimeZone,
        calendar: inputs.CalendarInput | None,
        compare_to: enums.Comparison | None,
        compare_window: inputs.WindowInput | None,
    ) -> answers.TopAccounts:
        """The first accounts of the network by a measure."""
        ranked = await self._ranked(
            None,
            window,
            direction,
            first,
            order_by,
            time_zone,
            calendar,
            compare_to,
            compare_window,
        )
        return answers.TopAccounts(**ranked)

    async def ranking_others(self, source: object) -> answers.Remainder:
        """What a ranking's rows leave out."""
        ranked = cast("m.Ranking", source)
        measures = await ranking.others(self._rules, ranked)
        return presenting.remainder_of(measures, _RemainderSource(ranked, others=True))

    async def ranking_total(self, source: object) -> answers.Remainder:
        """A ranking's rows and the others together."""
        ranked = cast("m.Ranking", source)
        measures = await ranking.total(self._rules, ranked)
        return presenting.remainder_of(measures, _RemainderSource(ranked, others=False))

    async def remainder_count(self, source: object) -> int:
        """Different accounts behind a remainder."""
        remainder = cast("_RemainderSource", source)
        count = await ranking.account_count(self._rules, remainder.ranking)
        return count - len(remainder.ranking.rows) if remainder.others else count

    async def share_of_amount(self, source: object) -> Decimal | None:
        """A row's part of the ranking's whole amount."""
        row = cast("_RowSource", source)
        return await ranking.share(self._rules, row.ranking, row.row)

    async def time_series(
        self,
        account_id: str | None,
        window: inputs.WindowInput,
        granularity: enums.Granularity,
        direction: enums.Direction,
        time_zone: TimeZone,
        calendar: inputs.CalendarInput | None,
        fill: enums.Fill,
        counterparty_id: str | None,
    ) -> answers.TimeSeries:
        """Measures over time."""
        series = await self._rules.series(
            account_id,
            presenting.choice_of(window),
            presenting.calendar_of(time_zone, calendar),
            m.Direction(direction.value),
            m.Granularity(granularity.value),
            m.Fill(fill.value),
            _counterparty(counterparty_id),
        )
        self._note(series.evidence)
        return presenting.series_of(series, self._final_after_days)

    async def net_flow(
        self,
        account_id: str,
        window: inputs.WindowInput,
        time_zone: TimeZone,
        calendar: inputs.CalendarInput | None,
        counterparty_id: str | None,
    ) -> answers.NetFlow:
        """Received and sent."""
        flow = await self._rules.net_flow(
            account_id,
            presenting.choice_of(window),
            presenting.calendar_of(time_zone, calendar),
            _counterparty(counterparty_id),
        )
        self._note(flow.evidence)
        return presenting.net_flow_of(flow, self._final_after_days)

    async def transactions(self, account_id: str, asked: ListArguments) -> TransactionConnection:
        """One page of single entries."""
        question = entries.EntriesQuestion(
            account_id=account_id,
            choice=presenting.choice_of(asked.window),
            calendar=presenting.calendar_of(asked.time_zone, asked.calendar),
            direction=None if asked.direction is None else m.Direction(asked.direction.value),
            counterparty_id=_counterparty(asked.counterparty_id),
            kind=None if asked.kind is None else m.TransactionKind(asked.kind.value),
            first=asked.first,
            after=asked.after,
            last=asked.last,
            before=asked.before,
            order=m.TransactionSort(asked.sort_by.value),
            min_amount=limits.check_amount(asked.min_amount, "minAmount"),
            max_amount=limits.check_amount(asked.max_amount, "maxAmount"),
        )
        page = await entries.page(self._rules, question)
        self._note(page.evidence)
        return presenting.page_of(page, self.context.shown, self._final_after_days)

    async def transaction(
        self, account_id: str, transaction_id: str, time_zone: TimeZone
    ) -> Transaction | None:
        """The entry of one id."""
        calendar = presenting.calendar_of(time_zone, None)
        checked = limits.check_transaction_id(transaction_id)
        page = await entries.single(self._rules, account_id, checked, calendar)
        self._note(page.evidence)
        found = presenting.transactions_of(page, page.entries, self.context.shown)
        return found[0] if found else None

    async def reversed_by(self, source: object) -> list[Transaction]:
        """The reversals of one transaction."""
        page, entry = cast("presenting.EntrySource", source)
        found = await entries.reversed_by(self._rules, page, entry)
        return presenting.transactions_of(page, found, self.context.shown)

    async def total_count(self, source: object) -> int:
        """How many transactions all pages of a list hold."""
        return await entries.total_count(self._rules, cast("m.EntryPage", source))

    async def pipeline(self) -> system.Pipeline:
        """How far the pipeline has come."""
        return presenting.pipeline_of(await self._rules.pipeline())

    async def reject_flood(self) -> bool:
        """Whether most events of the last minute were rejected."""
        return await self._rules.reject_flood()

    async def audit(self) -> system.PipelineAudit:
        """Whether the pipeline's tiers agree."""
        return presenting.audit_of(await self._rules.audit())

    async def entry_count(self) -> int:
        """All entries."""
        return await self._rules.entry_count()

    async def rejected(
        self,
        window: inputs.WindowInput | None,
        time_zone: TimeZone,
        calendar: inputs.CalendarInput | None,
    ) -> list[system.RejectedCount]:
        """Rejected events by reason."""
        choice = None if window is None else presenting.choice_of(window)
        rows = await self._rules.rejected(choice, presenting.calendar_of(time_zone, calendar))
        return [system.RejectedCount(reason=row.reason, count=Long(row.count)) for row in rows]

    def limits(self) -> system.Limits:
        """What may be asked for."""
        bounds = asdict(self._rules.limits)
        return system.Limits(
            deadline_milliseconds=bounds.pop("deadline_ms"),
            final_after_days=bounds.pop("final_after_days") or None,
            max_account_id_length=MAX_ACCOUNT_ID_LENGTH,
            max_compared_rank=limits.MAX_COMPARED_RANK,
            **bounds,
        )

    @property
    def _rules(self) -> Analytics:
        return self.context.analytics

    @property
    def _final_after_days(self) -> int:
        return self._rules.limits.final_after_days

    async def _ranked(
        self,
        account_id: str | None,
        window: inputs.WindowInput,
        direction: enums.Direction,
        first: int,
        order_by: enums.RankBy,
        time_zone: TimeZone,
        calendar: inputs.CalendarInput | None,
        compare_to: enums.Comparison | None,
        compare_window: inputs.WindowInput | None,
    ) -> dict[str, Any]:
        """What the types of rankings are made of."""
        question = RankingQuestion(
            account_id=account_id,
            choice=presenting.choice_of(window),
            calendar=presenting.calendar_of(time_zone, calendar),
            direction=m.Direction(direction.value),
            first=first,
            order_by=m.RankBy(order_by.value),
            compare_to=presenting.compared_of(compare_to, compare_window),
        )
        ranked = await ranking.rank(self._rules, question)
        self._note(ranked.evidence)
        rows = [
            presenting.row_of(row, _RowSource(ranked, row), self.context.shown)
            for row in ranked.rows
        ]
        fields = presenting.ranking_fields(ranked, self._final_after_days)
        return {**fields, "source": ranked, "rows": rows}

    def _note(self, evidence: m.Evidence) -> None:
        if evidence.inexact is not None:
            self.context.inexact[tuple(self.path)] = evidence.inexact


def _counterparty(given: str | None) -> str | None:
    """The id that a caller names; whether it may is for the rules to say."""
    return None if given is None else check_account_id(given, "counterpartyId")
