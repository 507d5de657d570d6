"""The questions that several accounts answer as one."""

# mypy: disallow-untyped-decorators=False
# strawberry.field is not typed as a decorator with arguments.

from __future__ import annotations

import strawberry
from strawberry import ID, Private

from graphql_schema import cost
from graphql_schema.answers import NetFlow, Totals
from graphql_schema.arguments import (
    CalendarArgument,
    CompareSetArgument,
    CompareSetFlowArgument,
    CompareSetFlowWindowArgument,
    CompareSetSeriesArgument,
    CompareSetSeriesWindowArgument,
    CompareSetTopArgument,
    CompareSetTopWindowArgument,
    CompareSetWindowArgument,
    CounterpartyArgument,
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
from graphql_schema.enums import (
    Direction,
    Fill,
    InternalTransfers,
    RankBy,
    SortOrder,
)
from graphql_schema.port import resolvers
from graphql_schema.questions import (
    FlowArguments,
    RankingArguments,
    SeriesArguments,
    TotalsArguments,
    When,
    Whose,
    With,
)
from graphql_schema.rankings import TopCounterparties
from graphql_schema.scalars import UTC
from graphql_schema.series import TimeSeries


@strawberry.type(
    description="Several accounts as one, such as a merchant's shops. Each transaction of each of them counts, those "
    "between two of them as `internalTransfers` says. A field that fails is null and has its own error."
)
class AccountSet:
    """Questions about several accounts together."""

    whose: Private[Whose]
    ids: list[ID] = strawberry.field(
        description="The accounts, each once, in the order asked; of a group, in the order of ids.",
        directives=[cost.up_to(50)],
    )

    @strawberry.field(
        description="How many transactions and how much money, of all of them together, in one direction and timeframe.",
        directives=[cost.SET_TOTALS],
    )
    async def totals(
        self,
        info: strawberry.Info,
        window: WindowArgument,
        direction: DirectionArgument = Direction.RECEIVED,
        time_zone: ZoneArgument = UTC,
        calendar: CalendarArgument = strawberry.UNSET,
        compare_to: CompareSetArgument = strawberry.UNSET,
        compare_window: CompareSetWindowArgument = strawberry.UNSET,
        counterparty_id: CounterpartyArgument = strawberry.UNSET,
    ) -> Totals | None:
        """Totals of one direction."""
        return await resolvers(info).totals(
            self.whose,
            TotalsArguments(
                When(window, time_zone, calendar or None),
                direction,
                With(compare_to or None, compare_window or None),
                given(counterparty_id),
            ),
        )

    @strawberry.field(
        description="The accounts that most money (or most transactions) came from or went to, over all of "
        "them, with what the rows leave out.",
        directives=[cost.SET_TOP, cost.ranked()],
    )
    async def top_counterparties(
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
        compare_to: CompareSetTopArgument = strawberry.UNSET,
        compare_window: CompareSetTopWindowArgument = strawberry.UNSET,
    ) -> TopCounterparties | None:
        """A ranking of counterparties."""
        return await resolvers(info).top_counterparties(
            self.whose,
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
        description="Transactions and money over time: a chart's points, one a bucket of the calendar.",
        directives=[cost.SET_SERIES, cost.up_to(1_500, "points")],
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
        compare_to: CompareSetSeriesArgument = strawberry.UNSET,
        compare_window: CompareSetSeriesWindowArgument = strawberry.UNSET,
        counterparty_id: CounterpartyArgument = strawberry.UNSET,
    ) -> TimeSeries | None:
        """A series."""
        return await resolvers(info).time_series(
            self.whose,
            SeriesArguments(
                When(window, time_zone, calendar or None),
                granularity,
                direction,
                fill,
                With(compare_to or None, compare_window or None),
                given(counterparty_id),
            ),
        )

    @strawberry.field(
        description="Received, sent, and received minus sent.", directives=[cost.SET_NET_FLOW]
    )
    async def net_flow(
        self,
        info: strawberry.Info,
        window: WindowArgument,
        time_zone: ZoneArgument = UTC,
        calendar: CalendarArgument = strawberry.UNSET,
        compare_to: CompareSetFlowArgument = strawberry.UNSET,
        compare_window: CompareSetFlowWindowArgument = strawberry.UNSET,
        counterparty_id: CounterpartyArgument = strawberry.UNSET,
    ) -> NetFlow | None:
        """A net flow."""
        return await resolvers(info).net_flow(
            self.whose,
            FlowArguments(
                When(window, time_zone, calendar or None),
                With(compare_to or None, compare_window or None),
                given(counterparty_id),
            ),
        )


def account_set_of(
    info: strawberry.Info,
    ids: list[ID] | None,
    group: str | None,
    internal_transfers: InternalTransfers,
) -> AccountSet:
    """The set of an entry point's arguments, checked."""
    found = tuple(resolvers(info).account_set(ids, group))
    outside = internal_transfers is InternalTransfers.EXCLUDED
    return AccountSet(whose=Whose(found, outside), ids=[ID(each) for each in found])
