"""What the schema needs answered: the gateway's resolvers, found in the operation's context."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Protocol, cast

import strawberry

if TYPE_CHECKING:
    from graphql_schema import answers, enums, inputs, system, transactions
    from graphql_schema.scalars import TimeZone


class Resolvers(Protocol):
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
        compare_to: enums.Comparison | None,
    ) -> answers.Totals:
        """Totals of one direction."""
        ...

    async def counterparty_count(self, source: object) -> int:
        """Different accounts behind totals."""
        ...

    def reversals(self, source: object) -> answers.ReversalTotals:
        """The reversals behind totals, out of one look at the store with them."""
        ...

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
        ...

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
        ...

    async def ranking_others(self, source: object) -> answers.Remainder:
        """What a ranking's rows leave out."""
        ...

    async def ranking_total(self, source: object) -> answers.Remainder:
        """A ranking's rows and the others together."""
        ...

    async def remainder_count(self, source: object) -> int:
        """Different accounts behind a remainder."""
        ...

    async def share_of_amount(self, source: object) -> Decimal | None:
        """A row's part of the ranking's whole amount."""
        ...

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
        ...

    async def net_flow(
        self, account_id: str, window: inputs.WindowInput, time_zone: TimeZone
    ) -> answers.NetFlow:
        """Received and sent."""
        ...

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
        ...

    async def pipeline(self) -> system.Pipeline:
        """How far the pipeline has come."""
        ...

    async def reject_flood(self) -> bool:
        """Whether most events of the last minute were rejected."""
        ...

    async def audit(self) -> system.PipelineAudit:
        """Whether the pipeline's tiers agree."""
        ...

    async def entry_count(self) -> int:
        """All entries."""
        ...

    async def rejected(
        self, window: inputs.WindowInput | None, time_zone: TimeZone
    ) -> list[system.RejectedCount]:
        """Rejected events by reason."""
        ...

    def limits(self) -> system.Limits:
        """What may be asked for."""
        ...


def resolvers(info: strawberry.Info) -> Resolvers:
    """The running operation's resolvers for the field that asks."""
    return cast("Resolvers", info.context.resolvers_at(info.path.as_list()))
