"""The types of measures over time."""

# mypy: disallow-untyped-decorators=False
# strawberry.field is not typed as a decorator with arguments.

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import strawberry

from graphql_schema.answers import COUNT, Answer
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


@strawberry.type(description="Measures over time.")
class TimeSeries(Answer):
    """A series."""

    granularity: Granularity = strawberry.field(description="The size of the buckets.")
    points: list[TimePoint] = strawberry.field(
        description="One a bucket, oldest first; they join without gaps unless `fill` is NONE."
    )
