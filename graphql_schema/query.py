"""The entry points, and the questions that accounts and the network answer."""

# mypy: disallow-untyped-decorators=False
# strawberry.field is not typed as a decorator with arguments.

from __future__ import annotations

from typing import Annotated

import strawberry
from strawberry import ID

from graphql_schema import cost
from graphql_schema.answers import (
    NetFlow,
    TimeSeries,
    TopAccounts,
    TopCounterparties,
    Totals,
)
from graphql_schema.arguments import (
    AfterArgument,
    CompareArgument,
    CompareNetworkArgument,
    CompareNetworkTopArgument,
    CompareTopArgument,
    DirectionArgument,
    FillArgument,
    FirstArgument,
    GranularityArgument,
    IdArgument,
    RankArgument,
    WindowArgument,
    ZoneArgument,
)
from graphql_schema.enums import Direction, Fill, RankBy, TransactionKind
from graphql_schema.port import resolvers
from graphql_schema.scalars import UTC
from graphql_schema.system import Limits, Pipeline
from graphql_schema.transactions import TransactionConnection


@strawberry.type(
    description="An account. One that nobody has heard of has zero totals and no rows. "
    "A field that fails is null and has its own error in `errors`; the others are not touched by it."
)
class Account:
    """Questions about one account."""

    id: ID = strawberry.field(description="1 to 64 characters, no control characters.")

    @strawberry.field(
        description="How many transactions and how much money, in one direction and timeframe.",
        directives=[cost.TOTALS],
    )
    async def totals(
        self,
        info: strawberry.Info,
        window: WindowArgument,
        direction: DirectionArgument = Direction.RECEIVED,
        time_zone: ZoneArgument = UTC,
        compare_to: CompareArgument = strawberry.UNSET,
    ) -> Totals | None:
        """Totals of one direction."""
        return await resolvers(info).totals(
            self.id, window, direction, time_zone, compare_to or None
        )

    @strawberry.field(
        description="The accounts that most money (or most transactions) came from or went to, with what "
        "the rows leave out.",
        directives=[cost.TOP, cost.first_of("rows")],
    )
    async def top_counterparties(
        self,
        info: strawberry.Info,
        window: WindowArgument,
        direction: DirectionArgument = Direction.RECEIVED,
        first: FirstArgument = 10,
        order_by: RankArgument = RankBy.TRANSACTION_AMOUNT,
        time_zone: ZoneArgument = UTC,
        compare_to: CompareTopArgument = strawberry.UNSET,
    ) -> TopCounterparties | None:
        """A ranking of counterparties."""
        return await resolvers(info).top_counterparties(
            self.id, window, direction, first, order_by, time_zone, compare_to or None
        )

    @strawberry.field(
        description="Transactions and money over time: a chart's points, one a bucket of the calendar.",
        directives=[cost.SERIES, cost.up_to(1_500, "points")],
    )
    async def time_series(
        self,
        info: strawberry.Info,
        window: WindowArgument,
        granularity: GranularityArgument,
        direction: DirectionArgument = Direction.RECEIVED,
        time_zone: ZoneArgument = UTC,
        fill: FillArgument = Fill.ZERO,
    ) -> TimeSeries | None:
        """A series."""
        return await resolvers(info).time_series(
            self.id, window, granularity, direction, time_zone, fill
        )

    @strawberry.field(
        description="Received, sent, and received minus sent.", directives=[cost.NET_FLOW]
    )
    async def net_flow(
        self, info: strawberry.Info, window: WindowArgument, time_zone: ZoneArgument = UTC
    ) -> NetFlow | None:
        """A net flow."""
        return await resolvers(info).net_flow(self.id, window, time_zone)

    @strawberry.field(
        description="The single transactions, reversals among them, newest first, page by page.",
        directives=[cost.ENTRIES, cost.first_of("edges")],
    )
    async def transactions(
        self,
        info: strawberry.Info,
        window: WindowArgument,
        direction: Annotated[
            Direction | None,
            strawberry.argument(description="Only this side of the transfers; null: both."),
        ] = strawberry.UNSET,
        counterparty_id: Annotated[
            ID | None,
            strawberry.argument(
                description="Only with this account on the other side: 1 to 64 characters; null: with "
                "any. A caller that is shown masked ids may name accounts of its own only."
            ),
        ] = strawberry.UNSET,
        kind: Annotated[
            TransactionKind | None,
            strawberry.argument(description="Only transfers or only reversals; null: both."),
        ] = strawberry.UNSET,
        first: FirstArgument = 20,
        after: AfterArgument = strawberry.UNSET,
        time_zone: ZoneArgument = UTC,
    ) -> TransactionConnection | None:
        """A page."""
        return await resolvers(info).transactions(
            self.id,
            window,
            direction or None,
            None if counterparty_id is strawberry.UNSET else counterparty_id,
            kind or None,
            first,
            None if after is strawberry.UNSET else after,
            time_zone,
        )


@strawberry.type(description="The whole system's figures, over all accounts.")
class Network:
    """Questions about all accounts."""

    @strawberry.field(
        description="Totals of all accounts. Every transfer is counted once in each direction; "
        "`counterpartyCount` is how many different accounts stood on that side.",
        directives=[cost.NETWORK_TOTALS],
    )
    async def totals(
        self,
        info: strawberry.Info,
        window: WindowArgument,
        direction: DirectionArgument = Direction.RECEIVED,
        time_zone: ZoneArgument = UTC,
        compare_to: CompareNetworkArgument = strawberry.UNSET,
    ) -> Totals | None:
        """Totals of one direction; `counterpartyCount` is the number of accounts on that side."""
        return await resolvers(info).totals(None, window, direction, time_zone, compare_to or None)

    @strawberry.field(
        description="The accounts that received or sent most money, or had most transactions.",
        directives=[cost.NETWORK_TOP, cost.first_of("rows")],
    )
    async def top_accounts(
        self,
        info: strawberry.Info,
        window: WindowArgument,
        direction: DirectionArgument = Direction.RECEIVED,
        first: FirstArgument = 10,
        order_by: RankArgument = RankBy.TRANSACTION_AMOUNT,
        time_zone: ZoneArgument = UTC,
        compare_to: CompareNetworkTopArgument = strawberry.UNSET,
    ) -> TopAccounts | None:
        """A ranking of accounts."""
        return await resolvers(info).top_accounts(
            window, direction, first, order_by, time_zone, compare_to or None
        )

    @strawberry.field(
        description="Transactions and money of all accounts over time.",
        directives=[cost.NETWORK_SERIES, cost.up_to(1_500, "points")],
    )
    async def time_series(
        self,
        info: strawberry.Info,
        window: WindowArgument,
        granularity: GranularityArgument,
        direction: DirectionArgument = Direction.RECEIVED,
        time_zone: ZoneArgument = UTC,
        fill: FillArgument = Fill.ZERO,
    ) -> TimeSeries | None:
        """A series."""
        return await resolvers(info).time_series(
            None, window, granularity, direction, time_zone, fill
        )


@strawberry.type(description="Payment analytics, exact and seconds old.")
class Query:
    """The entry points."""

    @strawberry.field(
        description="One account. Null, with an error, if it cannot be asked about; FORBIDDEN if the "
        "caller may not read it, whether it exists or not."
    )
    def account(
        self,
        info: strawberry.Info,
        id: IdArgument,  # noqa: A002
    ) -> Account | None:
        """An account; whether anybody has heard of it is not told."""
        return Account(id=ID(resolvers(info).account_id(id, "id")))

    @strawberry.field(
        description="Several accounts at once, in the order asked, each once; their totals and "
        "net flows come out of one store query a window. FORBIDDEN if the caller may not read "
        "every one of them.",
        directives=[cost.up_to(50)],
    )
    def accounts(
        self,
        info: strawberry.Info,
        ids: Annotated[
            list[ID], strawberry.argument(description="Up to `limits.maxAccounts` (50) ids.")
        ],
    ) -> list[Account]:
        """Several accounts."""
        return [Account(id=ID(each)) for each in resolvers(info).account_ids(ids)]

    @strawberry.field(
        description="The whole system: figures over all accounts, for operators; FORBIDDEN to "
        "everyone else."
    )
    def network(self, info: strawberry.Info) -> Network | None:
        """All accounts."""
        resolvers(info).network()
        return Network()

    @strawberry.field(description="How far the pipeline has come: is what is shown up to date?")
    async def pipeline(self, info: strawberry.Info) -> Pipeline:
        """The pipeline."""
        return await resolvers(info).pipeline()

    @strawberry.field(
        description="What one operation may ask for; to be asked once, not with every operation."
    )
    def limits(self, info: strawberry.Info) -> Limits:
        """The limits."""
        return resolvers(info).limits()
