"""The types of measures over time."""

# mypy: disallow-untyped-decorators=False
# strawberry.field is not typed as a decorator with arguments.

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import strawberry
from strawberry import ID

from graphql_schema import cost
from graphql_schema.answers import COUNT, NET, Answer, ReversalTotals, Window
from graphql_schema.enums import Granularity
from graphql_schema.scalars import Long


@strawberry.type(description="One bucket of a series. Half-open.")
class TimePoint:
    """A point."""

    start: datetime = strawberry.field(description="Included, with the time zone's offset.")
    end: datetime = strawberry.field(description="Not included, with the time zone's offset.")
    partial: bool = strawberry.field(
        description="Whether the window clips the bucket, or it ends after `asOf`, so that more of it is to come."
    )
    transaction_count: Long = strawberry.field(description=COUNT)
    transaction_amount: Decimal = strawberry.field(
        description="Exact sum, less what was reversed in this bucket; negative where that is more."
    )
    reversals: ReversalTotals = strawberry.field(
        description="The reversals among these transactions, by their own time.",
        directives=[cost.FREE],
    )


@strawberry.type(description="The same measures over an earlier window, to be drawn over it.")
class SeriesComparison:
    """An earlier series."""

    window: Window = strawberry.field(
        description="The timeframe compared with; one to date ends where as much of it has passed."
    )
    points: list[TimePoint] = strawberry.field(
        description="One a bucket of that window, oldest first. It may have more or fewer than the other: months, "
        "and days on which the clock is changed, are not all alike."
    )


@strawberry.type(description="Measures over time.")
class TimeSeries(Answer):
    """A series."""

    granularity: Granularity = strawberry.field(description="The size of the buckets.")
    points: list[TimePoint] = strawberry.field(
        description="One a bucket, oldest first; they join without gaps unless `fill` is NONE."
    )
    comparison: SeriesComparison | None = strawberry.field(
        description="The series of the window that `compareTo` or `compareWindow` names; null without."
    )


@strawberry.type(description="One side of a bucket.")
class PointSide:
    """What came or what went."""

    transaction_count: Long = strawberry.field(description=COUNT)
    transaction_amount: Decimal = strawberry.field(description=NET)
    reversals: ReversalTotals = strawberry.field(
        description="The reversals among these transactions, by their own time.",
        directives=[cost.FREE],
    )


@strawberry.type(description="Both sides of one bucket. Half-open.")
class FlowPoint:
    """A point."""

    start: datetime = strawberry.field(description="Included, with the time zone's offset.")
    end: datetime = strawberry.field(description="Not included, with the time zone's offset.")
    partial: bool = strawberry.field(
        description="Whether the window clips the bucket, or it ends after `asOf`, so that more of it is to come."
    )
    received: PointSide = strawberry.field(description="What came.", directives=[cost.FREE])
    sent: PointSide = strawberry.field(description="What went.", directives=[cost.FREE])
    net_amount: Decimal = strawberry.field(description="Received minus sent; may be negative.")


@strawberry.type(description="Both sides over time.")
class FlowSeries(Answer):
    """A series of both directions."""

    granularity: Granularity = strawberry.field(description="The size of the buckets.")
    points: list[FlowPoint] = strawberry.field(
        description="One a bucket, oldest first; they join without gaps unless `fill` is NONE."
    )


@strawberry.type(description="The series of one counterparty.")
class CounterpartySeries:
    """A layer of a stacked chart."""

    rank: int = strawberry.field(description="1, 2, 3 and so on, by the sums of these series.")
    account_id: ID = strawberry.field(
        description="The counterparty; `masked:` and a text of the caller's own where it may not see the id."
    )
    transaction_count: Long = strawberry.field(description=COUNT)
    transaction_amount: Decimal = strawberry.field(description=NET)
    points: list[TimePoint] = strawberry.field(
        description="One a bucket, oldest first, without gaps; the same buckets in all series."
    )


@strawberry.type(description="The series of all counterparties that have none of their own.")
class OthersSeries:
    """The last layer."""

    transaction_count: Long = strawberry.field(description=COUNT)
    transaction_amount: Decimal = strawberry.field(description=NET)
    points: list[TimePoint] = strawberry.field(description="The same buckets as in all series.")


@strawberry.type(
    description="A stacked chart: a series of each of the first counterparties and one of all others; bucket by bucket "
    "they add up to `timeSeries`."
)
class TopSeries(Answer):
    """Several series."""

    granularity: Granularity = strawberry.field(description="The size of the buckets.")
    series: list[CounterpartySeries] = strawberry.field(
        description="The first `first` counterparties, best first; fewer where there are fewer."
    )
    others: OthersSeries = strawberry.field(
        description="All that `series` leaves out, to the digit; all zero where that is nothing."
    )
