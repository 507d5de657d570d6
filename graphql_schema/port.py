"""What the schema needs answered: the gateway's resolvers, found in the operation's context."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol, cast

import strawberry

from graphql_schema import answers, enums, inputs, system, transactions
from graphql_schema.asked import resolvers_at
from graphql_schema.scalars import TimeZone
from graphql_schema.transactions import Transaction, TransactionConnection


@dataclass(frozen=True, slots=True)
class ListArguments:
    """What a page of a list of transactions was asked for by; `None`: not given."""

    window: inputs.WindowInput
    direction: enums.Direction | None
    counterparty_id: str | None
    kind: enums.TransactionKind | None
    min_amount: Decimal | None
    max_amount: Decimal | None
    sort_by: enums.TransactionSort
    first: int
    after: str | None
    last: int | None
    before: str | None
    time_zone: TimeZone
    calendar: inputs.CalendarInput | None


class Resolvers(answers.Fetching, transactions.Fetching, system.Fetching, Protocol):
    """One method a field that has to be fetched or checked.

    `account_id` of `None` asks about the whole network. `source` is what a method put into the
    type whose field asks.
    """

    def account_id(self, account_id: str, argument: str) -> str:
        """The id, if it can be one and the caller may read it."""
        ...

    def account_ids(self, account_ids: Sequence[str]) -> Sequence[str]:
        """The ids without repetitions, if not too many and the caller may read them all."""
        ...

    def network(self) -> None:
        """Refuse whoever may not read the network's figures."""
        ...

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
        ...

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
        ...

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
        ...

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
        ...

    async def net_flow(
        self,
        account_id: str,
        window: inputs.WindowInput,
        time_zone: TimeZone,
        calendar: inputs.CalendarInput | None,
        counterparty_id: str | None,
    ) -> answers.NetFlow:
        """Received and sent."""
        ...

    async def transactions(self, account_id: str, asked: ListArguments) -> TransactionConnection:
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
