"""What the schema needs answered: the gateway's resolvers, found in the operation's context."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, cast

import strawberry

from graphql_schema import answers, distribution, questions, rankings, series, system, transactions
from graphql_schema.asked import resolvers_at
from graphql_schema.distribution import Distribution, WeeklyPattern
from graphql_schema.enums import Direction
from graphql_schema.questions import Whose
from graphql_schema.scalars import TimeZone
from graphql_schema.transactions import Transaction, TransactionConnection


class Resolvers(
    answers.Fetching,
    distribution.Fetching,
    rankings.Fetching,
    transactions.Fetching,
    system.Fetching,
    Protocol,
):
    """One method a field that has to be fetched or checked.

    `source` is what a method put into the type whose field asks.
    """

    def account_id(self, account_id: str, argument: str) -> str:
        """The id, if it can be one and the caller may read it."""
        ...

    def account_ids(self, account_ids: Sequence[str]) -> Sequence[str]:
        """The ids without repetitions, if not too many and the caller may read them all."""
        ...

    def account_set(self, ids: Sequence[str] | None, group: str | None) -> Sequence[str]:
        """The ids of a set, given or of a group of the caller's, if it may read them all."""
        ...

    def network(self) -> None:
        """Refuse whoever may not read the network's figures."""
        ...

    async def totals(self, whose: Whose, asked: questions.TotalsArguments) -> answers.Totals:
        """Totals of one direction."""
        ...

    async def top_counterparties(
        self, whose: Whose, asked: questions.RankingArguments
    ) -> rankings.TopCounterparties:
        """The first counterparties by a measure."""
        ...

    async def top_accounts(self, asked: questions.RankingArguments) -> rankings.TopAccounts:
        """The first accounts of the network by a measure."""
        ...

    async def time_series(
        self, whose: Whose, asked: questions.SeriesArguments
    ) -> series.TimeSeries:
        """Measures over time."""
        ...

    async def flow_series(
        self, whose: Whose, asked: questions.SeriesArguments
    ) -> series.FlowSeries:
        """Received and sent over time."""
        ...

    async def top_series(
        self, whose: Whose, asked: questions.TopSeriesArguments
    ) -> series.TopSeries:
        """A series of each of the first counterparties, and of the others."""
        ...

    async def distribution(
        self, whose: Whose, when: questions.When, direction: Direction
    ) -> Distribution:
        """How large transfers are."""
        ...

    async def weekly_pattern(
        self, whose: Whose, asked: questions.PatternArguments
    ) -> WeeklyPattern:
        """When in the week transactions happen."""
        ...

    async def net_flow(self, whose: Whose, asked: questions.FlowArguments) -> answers.NetFlow:
        """Received and sent."""
        ...

    async def transactions(
        self, account_id: str, asked: questions.ListArguments
    ) -> TransactionConnection:
        """One page of single entries."""
        ...

    async def transaction(
        self, account_id: str, transaction_id: str, time_zone: TimeZone
    ) -> Transaction | None:
        """The entry of one id."""
        ...

    async def pipeline(self) -> system.Pipeline:
        """How far the pipeline has come."""
        ...

    def limits(self) -> system.Limits:
        """What may be asked for."""
        ...


def resolvers(info: strawberry.Info) -> Resolvers:
    """The running operation's resolvers for the field that asks."""
    return cast("Resolvers", resolvers_at(info))
