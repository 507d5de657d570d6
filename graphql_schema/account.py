"""The questions that one account answers."""

# mypy: disallow-untyped-decorators=False
# strawberry.field is not typed as a decorator with arguments.

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

import strawberry
from strawberry import ID

from graphql_schema import cost
from graphql_schema.account_shapes import AccountShapes
from graphql_schema.answers import NetFlow, Totals
from graphql_schema.arguments import (
    AfterArgument,
    CalendarArgument,
    CompareArgument,
    CompareFlowArgument,
    CompareFlowWindowArgument,
    CompareSeriesArgument,
    CompareSeriesWindowArgument,
    CompareTopArgument,
    CompareTopWindowArgument,
    CompareWindowArgument,
    CounterpartyArgument,
    DirectionArgument,
    FillArgument,
    FirstArgument,
    GranularityArgument,
    ListCounterpartyArgument,
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
    RankBy,
    SortOrder,
    TransactionKind,
    TransactionSort,
)
from graphql_schema.port import resolvers
from graphql_schema.questions import (
    FlowArguments,
    ListArguments,
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
from graphql_schema.transactions import Transaction, TransactionConnection


@strawberry.type(
    description="An account. One that nobody has heard of has zero totals and no rows. "
    "A field that fails is null and has its own error in `errors`; the others are not touched by it."
)
class Account(AccountShapes):
    """Questions about one account."""

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
        calendar: CalendarArgument = strawberry.UNSET,
        compare_to: CompareArgument = strawberry.UNSET,
        compare_window: CompareWindowArgument = strawberry.UNSET,
        counterparty_id: CounterpartyArgument = strawberry.UNSET,
    ) -> Totals | None:
        """Totals of one direction."""
        return await resolvers(info).totals(
            Whose((self.id,)),
            TotalsArguments(
                When(window, time_zone, calendar or None),
                direction,
                With(compare_to or None, compare_window or None),
                given(counterparty_id),
            ),
        )

    @strawberry.field(
        description="The accounts that most money (or most transactions) came from or went to, with what "
        "the rows leave out.",
        directives=[cost.TOP, cost.ranked()],
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
        compare_to: CompareTopArgument = strawberry.UNSET,
        compare_window: CompareTopWindowArgument = strawberry.UNSET,
    ) -> TopCounterparties | None:
        """A ranking of counterparties."""
        return await resolvers(info).top_counterparties(
            Whose((self.id,)),
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
        directives=[cost.SERIES, cost.up_to(1_500, "points")],
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
        compare_to: CompareSeriesArgument = strawberry.UNSET,
        compare_window: CompareSeriesWindowArgument = strawberry.UNSET,
        counterparty_id: CounterpartyArgument = strawberry.UNSET,
    ) -> TimeSeries | None:
        """A series."""
        return await resolvers(info).time_series(
            Whose((self.id,)),
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
        description="Received, sent, and received minus sent.", directives=[cost.NET_FLOW]
    )
    async def net_flow(
        self,
        info: strawberry.Info,
        window: WindowArgument,
        time_zone: ZoneArgument = UTC,
        calendar: CalendarArgument = strawberry.UNSET,
        compare_to: CompareFlowArgument = strawberry.UNSET,
        compare_window: CompareFlowWindowArgument = strawberry.UNSET,
        counterparty_id: CounterpartyArgument = strawberry.UNSET,
    ) -> NetFlow | None:
        """A net flow."""
        return await resolvers(info).net_flow(
            Whose((self.id,)),
            FlowArguments(
                When(window, time_zone, calendar or None),
                With(compare_to or None, compare_window or None),
                given(counterparty_id),
            ),
        )

    @strawberry.field(
        description="The single transactions, reversals among them, page by page, either way: `first` and `after`, "
        "or `last` and `before`.",
        directives=[cost.ENTRIES, cost.first_of("edges", "last", usual=20)],
    )
    async def transactions(
        self,
        info: strawberry.Info,
        window: WindowArgument,
        direction: Annotated[
            Direction | None,
            strawberry.argument(description="Only this side of the transfers; null: both."),
        ] = strawberry.UNSET,
        counterparty_id: ListCounterpartyArgument = strawberry.UNSET,
        kind: Annotated[
            TransactionKind | None,
            strawberry.argument(description="Only transfers or only reversals; null: both."),
        ] = strawberry.UNSET,
        min_amount: Annotated[
            Decimal | None,
            strawberry.argument(
                description="Only amounts of at least this, as `amount` tells them: a reversal's is negative. Null: any."
            ),
        ] = strawberry.UNSET,
        max_amount: Annotated[
            Decimal | None,
            strawberry.argument(description="Only amounts of at most this; null: any."),
        ] = strawberry.UNSET,
        sort_by: Annotated[
            TransactionSort, strawberry.argument(description="The order of the list.")
        ] = TransactionSort.TIME_DESCENDING,
        first: Annotated[
            int | None,
            strawberry.argument(
                description="How many at most: 1 to `limits.maxFirst` (100); 20 if neither this nor `last` is given. "
                "Not with `last`."
            ),
        ] = strawberry.UNSET,
        after: AfterArgument = strawberry.UNSET,
        last: Annotated[
            int | None,
            strawberry.argument(
                description="Instead of `first`: so many from the list's end, or those right before `before`; in the "
                "list's order."
            ),
        ] = strawberry.UNSET,
        before: Annotated[
            str | None,
            strawberry.argument(
                description="With `last`: the `startCursor` of the page behind; every argument but `last` as it was then."
            ),
        ] = strawberry.UNSET,
        time_zone: ZoneArgument = UTC,
        calendar: CalendarArgument = strawberry.UNSET,
    ) -> TransactionConnection | None:
        """A page."""
        asked = ListArguments(
            when=When(window, time_zone, calendar or None),
            direction=direction or None,
            counterparty_id=given(counterparty_id),
            kind=kind or None,
            min_amount=given(min_amount),
            max_amount=given(max_amount),
            sort_by=sort_by,
            first=given(first),
            after=given(after),
            last=given(last),
            before=given(before),
        )
        return await resolvers(info).transactions(self.id, asked)

    @strawberry.field(
        description="One transaction by its id, from this account's side; null if the account has none of this id. "
        "Of a transfer to oneself the received side; where a reversal has the id of another transfer, the transfer.",
        directives=[cost.ENTRIES],
    )
    async def transaction(
        self,
        info: strawberry.Info,
        id: Annotated[  # noqa: A002
            ID, strawberry.argument(description="A UUID, in upper or lower case.")
        ],
        time_zone: ZoneArgument = UTC,
    ) -> Transaction | None:
        """An entry."""
        return await resolvers(info).transaction(self.id, id, time_zone)
