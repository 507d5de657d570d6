"""Rankings: from GraphQL input to the model, one call to the rules, and back; no rules here."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, cast

from gateway.analytics import answers as a
from gateway.analytics import model as m
from gateway.analytics import ranking, ranking_parts
from gateway.analytics.ranking import RankingQuestion
from gateway.execution import presenting
from gateway.execution.arguments import compared_of, when_of, whose_of
from gateway.execution.field_resolvers import FieldResolvers
from graphql_schema import rankings
from graphql_schema.answers import ReversalTotals
from graphql_schema.enums import SortOrder
from graphql_schema.questions import NETWORK, RankingArguments, Whose


@dataclass(frozen=True, slots=True)
class _RowSource:
    """What a row's share is a share of."""

    ranking: a.Ranking
    row: a.Ranked


@dataclass(frozen=True, slots=True)
class _RemainderSource:
    """Which part of a ranking a remainder is: the others, or all."""

    ranking: a.Ranking
    others: bool


class RankingResolvers(FieldResolvers):
    """The resolvers of rankings and of what they leave out."""

    __slots__ = ()

    async def top_counterparties(
        self, whose: Whose, asked: RankingArguments
    ) -> rankings.TopCounterparties:
        """The first counterparties by a measure."""
        return rankings.TopCounterparties(**await self._ranked(whose, asked))

    async def top_accounts(self, asked: RankingArguments) -> rankings.TopAccounts:
        """The first accounts of the network by a measure."""
        return rankings.TopAccounts(**await self._ranked(NETWORK, asked))

    async def ranking_others(self, source: object) -> rankings.Remainder:
        """What a ranking's rows leave out."""
        ranked = cast("a.Ranking", source)
        measures = await ranking_parts.others(self.rules, ranked)
        return presenting.remainder_of(measures, _RemainderSource(ranked, others=True))

    async def ranking_total(self, source: object) -> rankings.Remainder:
        """A ranking's rows and the others together."""
        ranked = cast("a.Ranking", source)
        measures = await ranking_parts.total(self.rules, ranked)
        return presenting.remainder_of(measures, _RemainderSource(ranked, others=False))

    async def remainder_count(self, source: object) -> int:
        """Different accounts behind a remainder."""
        remainder = cast("_RemainderSource", source)
        count = await ranking_parts.account_count(self.rules, remainder.ranking)
        return count - len(remainder.ranking.rows) if remainder.others else count

    async def share_of_amount(self, source: object) -> Decimal | None:
        """A row's part of the ranking's whole amount."""
        row = cast("_RowSource", source)
        return await ranking_parts.share(self.rules, row.ranking, row.row)

    async def row_reversals(self, source: object) -> ReversalTotals:
        """The reversals behind a row."""
        row = cast("_RowSource", source)
        found = await ranking_parts.row_reversals(self.rules, row.ranking, row.row)
        return presenting.reversals_of(found)

    async def rank_of(self, source: object, account_id: str) -> rankings.CounterpartyTotal | None:
        """One account's row of a ranking."""
        ranked = cast("a.Ranking", source)
        row = await ranking_parts.rank_of(self.rules, ranked, account_id)
        return None if row is None else self._row(ranked, row)

    async def dropped(self, source: object) -> list[rankings.CounterpartyTotal] | None:
        """Who was among the first of the earlier window, and is not now."""
        found = await ranking_parts.dropped(self.rules, cast("a.Ranking", source))
        if found is None:
            return None
        then, rows = found
        self.note(then.evidence)
        return [self._row(then, row) for row in rows]

    def _row(self, ranked: a.Ranking, row: a.Ranked) -> rankings.CounterpartyTotal:
        return presenting.row_of(row, _RowSource(ranked, row), self.context.shown)

    async def _ranked(self, whose: Whose, asked: RankingArguments) -> dict[str, Any]:
        """What the types of rankings are made of."""
        choice, calendar = when_of(asked.when)
        question = RankingQuestion(
            whose=whose_of(whose),
            choice=choice,
            calendar=calendar,
            direction=m.Direction(asked.direction.value),
            first=asked.first,
            order_by=m.RankBy(asked.order_by.value),
            compare_to=compared_of(asked.compared),
            ascending=asked.order is SortOrder.ASCENDING,
            after=asked.after,
        )
        ranked = await ranking.rank(self.rules, question)
        self.note(ranked.evidence)
        rows = [self._row(ranked, row) for row in ranked.rows]
        fields = presenting.ranking_fields(ranked, self.final_after_days)
        return {**fields, "source": ranked, "rows": rows}
