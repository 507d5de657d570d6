"""The types that tell how large transfers are, and when in the week they happen."""

# mypy: disallow-untyped-decorators=False
# strawberry.field is not typed as a decorator with arguments.

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Protocol

import strawberry
from strawberry import Private

from graphql_schema import cost
from graphql_schema.answers import COUNT, NET, Answer
from graphql_schema.asked import resolvers_at
from graphql_schema.enums import HistogramScale, Weekday
from graphql_schema.scalars import Long


class Fetching(Protocol):
    """What is fetched for a field of a distribution; `source` is what was put into the type that asks."""

    async def smallest(self, source: object) -> Decimal | None:
        """The smallest amount."""
        ...

    async def largest(self, source: object) -> Decimal | None:
        """The largest amount."""
        ...

    async def percentiles(self, source: object, of: list[float]) -> list[Percentile]:
        """Amounts by nearest rank."""
        ...

    async def histogram(
        self, source: object, buckets: int, scale: HistogramScale
    ) -> list[HistogramBucket]:
        """Transfers by amount."""
        ...


def _fetching(info: strawberry.Info) -> Fetching:
    fetching: Fetching = resolvers_at(info)
    return fetching


@strawberry.type(description="An amount that a part of the transfers does not exceed.")
class Percentile:
    """A percentile."""

    percentile: float = strawberry.field(description="As asked: 50 is the median.")
    amount: Decimal | None = strawberry.field(
        description="By nearest rank: the smallest amount that so many of a hundred transfers do not exceed; one of "
        "theirs, or the estimate of one. Null without transfers."
    )


@strawberry.type(description="Transfers of similar amounts.")
class HistogramBucket:
    """A bar."""

    start: Decimal = strawberry.field(description="Included; the first one's is `min`.")
    end: Decimal = strawberry.field(
        description="Not included, but by the last bucket, whose end is `max`."
    )
    transfer_count: Long = strawberry.field(description="Number of transfers.")


@strawberry.type(
    description="How large single transfers are; reversals are left out. Of up to 10,000 transfers all is exact; of "
    "more, percentiles and histograms are estimates, as `relativeError` tells."
)
class Distribution(Answer):
    """A distribution."""

    source: Private[object]
    transfer_count: Long = strawberry.field(description="Number of transfers.")
    relative_error: Decimal = strawberry.field(
        description="0: percentiles and histograms are exact. Else how far each of their amounts may be off, as a part "
        "of it: 0.01 is 1 %, so a histogram may count a transfer that is so close to an edge on its other side."
    )

    @strawberry.field(
        description="The smallest amount, always exact; null without transfers.",
        directives=[cost.ENTRIES],
    )
    async def min(self, info: strawberry.Info) -> Decimal | None:
        """Fetched only if asked for; null, with an error, if that alone fails."""
        return await _fetching(info).smallest(self.source)

    @strawberry.field(
        description="The largest amount, always exact; null without transfers.",
        directives=[cost.ENTRIES],
    )
    async def max(self, info: strawberry.Info) -> Decimal | None:
        """Fetched only if asked for; null, with an error, if that alone fails."""
        return await _fetching(info).largest(self.source)

    @strawberry.field(
        description="Amounts by percentile, in the order asked.",
        directives=[cost.SPREAD, cost.up_to(20)],
    )
    async def percentiles(
        self,
        info: strawberry.Info,
        of: Annotated[
            list[float],
            strawberry.argument(description="1 to 20 numbers of 0 to 100: `[50, 95, 99.9]`."),
        ],
    ) -> list[Percentile] | None:
        """Fetched only if asked for; null, with an error, if that alone fails."""
        return await _fetching(info).percentiles(self.source, of)

    @strawberry.field(
        description="Transfers by amount, from the smallest to the largest, without gaps; empty without transfers. "
        "Edges have 8 decimals at most; where that makes some coincide, there are fewer buckets.",
        directives=[cost.SPREAD, cost.sliced("buckets")],
    )
    async def histogram(
        self,
        info: strawberry.Info,
        buckets: Annotated[int, strawberry.argument(description="How many: 1 to 100.")] = 10,
        scale: Annotated[
            HistogramScale, strawberry.argument(description="How the buckets are cut.")
        ] = HistogramScale.LINEAR,
    ) -> list[HistogramBucket] | None:
        """Fetched only if asked for; null, with an error, if that alone fails."""
        return await _fetching(info).histogram(self.source, buckets, scale)


@strawberry.type(description="One hour of one weekday, over all weeks of the window.")
class HourOfWeek:
    """A cell."""

    weekday: Weekday = strawberry.field(description="The day of the week.")
    hour: int = strawberry.field(
        description="0 to 23: from that hour on the zone's clock up to the next one."
    )
    transaction_count: Long = strawberry.field(description=COUNT)
    transaction_amount: Decimal = strawberry.field(description=NET)


@strawberry.type(
    description="When in the week things happen: a heat map. An hour that the clock shows twice counts as one, one "
    "that it skips stays empty."
)
class WeeklyPattern(Answer):
    """Hours of the week."""

    hours: list[HourOfWeek] = strawberry.field(
        description="All 168, by weekday from the calendar's first day on, then by hour."
    )
