"""The questions that the whole network answers."""

# mypy: disallow-untyped-decorators=False
# strawberry.field is not typed as a decorator with arguments.

from __future__ import annotations

import strawberry

from graphql_schema import cost
from graphql_schema.answers import Totals
from graphql_schema.arguments import (
    CalendarArgument,
    CompareNetworkArgument,
    CompareNetworkSeriesArgument,
    CompareNetworkSeriesWindowArgument,
    CompareNetworkTopArgument,
    CompareNetworkTopWindowArgument,
    CompareNetworkWindowArgument,
    DirectionArgument,
    FillArgument,
    FirstArgument,
    GranularityArgument,
    OrderArgument,
    RankAfterArgument,
    RankArgument,
    WindowArgument,
    ZoneArgument,
    given,
)
from graphql_schema.enums import Direction, Fill, RankBy, SortOrder
from graphql_schema.port import resolvers
from graphql_schema.questions import (
    NETWORK,
    RankingArguments,
    SeriesArguments,
    TotalsArguments,
    When,
    With,
)
from graphql_schema.rankings import TopAccounts
from graphql_schema.scalars import UTC
from graphql_schema.series import TimeSeries


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
        calendar: CalendarArgument = strawberry.UNSET,
        compare_to: CompareNetworkArgument = strawberry.UNSET,
        compare_window: CompareNetworkWindowArgument = strawberry.UNSET,
    ) -> Totals | None:
        """Totals of one direction; `counterpartyCount` is the number of accounts on that side."""
        return await resolvers(info).totals(
            NETWORK,
            TotalsArguments(
                When(window, time_zone, calendar or None),
                direction,
                With(compare_to or None, compare_window or None),
            ),
        )

    @strawberry.field(
        description="The accounts that received or sent most money, or had most transactions.",
        directives=[cost.NETWORK_TOP, cost.ranked()],
    )
    async def top_accounts(
        self,
        info: strawberry.Info,
        window: WindowArgument,
        direction: DirectionArgument = Direction.RECEIVED,
        first: FirstArgument = 10,
        order_by: RankArgument = RankBy.TRANSACTION_AMOUNT,
        order: OrderArgument = SortOrder.DESCENDING,
        after: RankAfterArgument = strawberry.UNSET,
        time_zone: ZoneArgument = UTC,
        calendar: CalendarArgument = strawberry.UNSET,
        compare_to: CompareNetworkTopArgument = strawberry.UNSET,
        compare_window: CompareNetworkTopWindowArgument = strawberry.UNSET,
    ) -> TopAccounts | None:
        """A ranking of accounts."""
        return await resolvers(info).top_accounts(
            RankingArguments(
                When(window, time_zone, calendar or None),
                direction,
                first,
                order_by,
                With(compare_to or None, compare_window or None),
                order,
                given(after),
            ),
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
        calendar: CalendarArgument = strawberry.UNSET,
        fill: FillArgument = Fill.ZERO,
        compare_to: CompareNetworkSeriesArgument = strawberry.UNSET,
        compare_window: CompareNetworkSeriesWindowArgument = strawberry.UNSET,
    ) -> TimeSeries | None:
        """A series."""
        return await resolvers(info).time_series(
            NETWORK,
            SeriesArguments(
                When(window, time_zone, calendar or None),
                granularity,
                direction,
                fill,
                With(compare_to or None, compare_window or None),
            ),
        )
