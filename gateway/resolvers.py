"""From GraphQL input to the model, one call to the rules, and back; no rules here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import cast

from gateway import entries, limits, logs, presenting, ranking
from gateway import model as m
from gateway.analytics import Analytics
from gateway.context import OperationContext, Path
from gateway.ranking import RankingQuestion
from graphql_schema import answers, enums, inputs, system, transactions
from graphql_schema.scalars import Long, TimeZone


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
        checked = limits.check_account_id(account_id, argument)
        self.context.accounts.add(logs.digest(checked))
        self._rules.caller.may_read((checked,))
        return checked

    def account_ids(self, account_ids: Sequence[str]) -> Sequence[str]:
        """The ids without repetitions, if not too many and the caller may read them all."""
        checked = limits.check_account_ids(account_ids, self._rules.limits.max_accounts)
        self.context.accounts.update(logs.digest(each) for each in checked)
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
        compare_to: enums.Comparison | None,
    ) -> answers.Totals:
        """Totals of one direction."""
        totals = await self._rules.totals(
            account_id,
            presenting.choice_of(window),
            limits.check_zone(time_zone),
            m.Direction(direction.value),
            presenting.comparison_of(compare_to),
        )
        self._note(totals.evidence)
        return presenting.totals_of(totals)

    async def counterparty_count(self, source: object) -> int:
        """Different accounts behind totals."""
        side = cast("m.Side", source)
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
        compare_to: enums.Comparison | None,
    ) -> answers.TopCounterparties:
        """The first counterparties by a measure."""
        ranked = await self._rank(
            account_id, window, direction, first, order_by, time_zone, compare_to
        )
        return answers.TopCounterparties(
            **presenting.answer_fields(ranked.window, ranked.evidence),
            source=ranked,
            rows=self._rows(ranked),
        )

    async def top_accounts(
        self,
        window: inputs.WindowInput,
        direction: enums.Direction,
        first: int,
        order_by: enums.RankBy,
        time_zone: TimeZone,
        compare_to: enums.Comparison | None,
    ) -> answers.TopAccounts:
        """The first accounts of the network by a measure."""
        ranked = await self._rank(None, window, direction, first, order_by, time_zone, compare_to)
        return answers.TopAccounts(
            **presenting.answer_fields(ranked.window, ranked.evidence),
            source=ranked,
            rows=self._rows(ranked),
        )

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
        fill: enums.Fill,
    ) -> answers.TimeSeries:
        """Measures over time."""
        series = await self._rules.series(
            account_id,
            presenting.choice_of(window),
            limits.check_zone(time_zone),
            m.Direction(direction.value),
            m.Granularity(granularity.value),
            m.Fill(fill.value),
        )
        self._note(series.evidence)
        return presenting.series_of(series)

    async def net_flow(
        self, account_id: str, window: inputs.WindowInput, time_zone: TimeZone
    ) -> answers.NetFlow:
        """Received and sent."""
        zone = limits.check_zone(time_zone)
        flow = await self._rules.net_flow(account_id, presenting.choice_of(window), zone)
        self._note(flow.evidence)
        return presenting.net_flow_of(flow)

    async def transactions(
        self,
        account_id: str,
        window: inputs.WindowInput,
        direction: enums.Direction | None,
        counterparty_id: str | None,
        kind: enums.TransactionKind | None,
        first: int,
        after: str | None,
        time_zone: TimeZone,
    ) -> transactions.TransactionConnection:
        """One page of single entries."""
        if counterparty_id is not None:
            limits.check_account_id(counterparty_id, "counterpartyId")
        question = entries.EntriesQuestion(
            account_id=account_id,
            choice=presenting.choice_of(window),
            zone=limits.check_zone(time_zone),
            direction=None if direction is None else m.Direction(direction.value),
            counterparty_id=counterparty_id,
            kind=None if kind is None else m.TransactionKind(kind.value),
            first=first,
            after=after,
        )
        page = await entries.page(self._rules, question)
        self._note(page.evidence)
        return presenting.page_of(page, self.context.shown)

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
        self, window: inputs.WindowInput | None, time_zone: TimeZone
    ) -> list[system.RejectedCount]:
        """Rejected events by reason."""
        choice = None if window is None else presenting.choice_of(window)
        rows = await self._rules.rejected(choice, limits.check_zone(time_zone))
        return [system.RejectedCount(reason=row.reason, count=Long(row.count)) for row in rows]

    def limits(self) -> system.Limits:
        """What may be asked for."""
        bounds = asdict(self._rules.limits)
        return system.Limits(
            deadline_milliseconds=bounds.pop("deadline_ms"),
            max_account_id_length=limits.MAX_ACCOUNT_ID_LENGTH,
            max_compared_rank=limits.MAX_COMPARED_RANK,
            **bounds,
        )

    @property
    def _rules(self) -> Analytics:
        return self.context.analytics

    async def _rank(
        self,
        account_id: str | None,
        window: inputs.WindowInput,
        direction: enums.Direction,
        first: int,
        order_by: enums.RankBy,
        time_zone: TimeZone,
        compare_to: enums.Comparison | None,
    ) -> m.Ranking:
        question = RankingQuestion(
            account_id=account_id,
            choice=presenting.choice_of(window),
            zone=limits.check_zone(time_zone),
            direction=m.Direction(direction.value),
            first=first,
            order_by=m.RankBy(order_by.value),
            compare_to=presenting.comparison_of(compare_to),
        )
        ranked = await ranking.rank(self._rules, question)
        self._note(ranked.evidence)
        return ranked

    def _note(self, evidence: m.Evidence) -> None:
        if evidence.inexact is not None:
            self.context.inexact[tuple(self.path)] = evidence.inexact

    def _rows(self, ranked: m.Ranking) -> list[answers.CounterpartyTotal]:
        return [
            presenting.row_of(row, _RowSource(ranked, row), self.context.shown)
            for row in ranked.rows
        ]
