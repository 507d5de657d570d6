"""The questions to an account about the shape of things: who over time, how large, when in the week."""

# mypy: disallow-untyped-decorators=False
# strawberry.field is not typed as a decorator with arguments.

from __future__ import annotations

from typing import Annotated

import strawberry
from strawberry import ID

from graphql_schema import cost
from graphql_schema.arguments import (
    CalendarArgument,
    CounterpartyArgument,
    DirectionArgument,
    FillArgument,
    GranularityArgument,
    RankArgument,
    WindowArgument,
    ZoneArgument,
    given,
)
from graphql_schema.distribution import Distribution, WeeklyPattern
from graphql_schema.enums import Direction, Fill, RankBy
from graphql_schema.port import resolvers
from graphql_schema.questions import (
    NOTHING,
    PatternArguments,
    SeriesArguments,
    TopSeriesArguments,
    When,
    Whose,
)
from graphql_schema.scalars import UTC
from graphql_schema.series import FlowSeries, TopSeries


@strawberry.type
class AccountShapes:
    """A part of `Account`; no type of the API by itself."""

    id: ID = strawberry.field(description="1 to 64 characters, no control characters.")

    @strawberry.field(
        description="The first counterparties over time and all others together: a stacked chart in one field.",
        directives=[cost.TOP_SERIES, cost.first_of("series")],
    )
    async def top_series(
        self,
        info: strawberry.Info,
        window: WindowArgument,
        granularity: GranularityArgument,
        direction: DirectionArgument = Direction.RECEIVED,
        first: Annotated[
            int,
            strawberry.argument(
                description="How many counterparties: 1 to `limits.maxSeries` (20)."
            ),
        ] = 5,
        order_by: RankArgument = RankBy.TRANSACTION_AMOUNT,
        time_zone: ZoneArgument = UTC,
        calendar: CalendarArgument = strawberry.UNSET,
    ) -> TopSeries | None:
        """Several series."""
        return await resolvers(info).top_series(
            Whose((self.id,)),
            TopSeriesArguments(
                When(window, time_zone, calendar or None), granularity, direction, first, order_by
            ),
        )

    @strawberry.field(
        description="Received and sent over time, in one series.",
        directives=[cost.FLOW_SERIES, cost.up_to(1_500, "points")],
    )
    async def flow_series(
        self,
        info: strawberry.Info,
        window: WindowArgument,
        granularity: GranularityArgument,
        time_zone: ZoneArgument = UTC,
        calendar: CalendarArgument = strawberry.UNSET,
        fill: FillArgument = Fill.ZERO,
        counterparty_id: CounterpartyArgument = strawberry.UNSET,
    ) -> FlowSeries | None:
        """A series of both directions."""
        when = When(window, time_zone, calendar or None)
        asked = SeriesArguments(when, granularity, None, fill, NOTHING, given(counterparty_id))
        return await resolvers(info).flow_series(Whose((self.id,)), asked)

    @strawberry.field(
        description="How large the single transfers of one side are: extremes, percentiles, a histogram.",
        directives=[cost.DISTRIBUTION],
    )
    async def distribution(
        self,
        info: strawberry.Info,
        window: WindowArgument,
        direction: DirectionArgument = Direction.RECEIVED,
        time_zone: ZoneArgument = UTC,
        calendar: CalendarArgument = strawberry.UNSET,
    ) -> Distribution | None:
        """A distribution."""
        when = When(window, time_zone, calendar or None)
        return await resolvers(info).distribution(Whose((self.id,)), when, direction)

    @strawberry.field(
        description="Transactions and money by weekday and hour of the day, in windows of up to 10,000 hours.",
        directives=[cost.WEEKLY, cost.up_to(168, "hours")],
    )
    async def weekly_pattern(
        self,
        info: strawberry.Info,
        window: WindowArgument,
        direction: DirectionArgument = Direction.RECEIVED,
        time_zone: ZoneArgument = UTC,
        calendar: CalendarArgument = strawberry.UNSET,
        counterparty_id: CounterpartyArgument = strawberry.UNSET,
    ) -> WeeklyPattern | None:
        """Hours of the week."""
        when = When(window, time_zone, calendar or None)
        asked = PatternArguments(when, direction, given(counterparty_id))
        return await resolvers(info).weekly_pattern(Whose((self.id,)), asked)
