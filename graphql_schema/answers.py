"""The types of the answers; fields that cost a store query of their own are asked for lazily."""

# mypy: disallow-untyped-decorators=False
# strawberry.field is not typed as a decorator with arguments.

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Protocol

import strawberry
from strawberry import Private

from graphql_schema import cost
from graphql_schema.asked import resolvers_at
from graphql_schema.scalars import Long, TimeZone

UNIT = "Amounts have no currency of their own: they are in the unit of the events."
COUNT = "Number of transactions, reversals included."
NET = "Exact sum, less what reversals took back: negative where they took back more than came."


class Fetching(Protocol):
    """What is fetched for a field of an answer; `source` is what was put into the type that asks."""

    async def counterparty_count(self, source: object) -> int:
        """Different accounts behind totals."""
        ...

    def reversals(self, source: object) -> ReversalTotals:
        """The reversals behind totals, out of one look at the store with them."""
        ...


def _fetching(info: strawberry.Info) -> Fetching:
    fetching: Fetching = resolvers_at(info)
    return fetching


@strawberry.type(description="The timeframe that an answer is about. Half-open.")
class Window:
    """A resolved window."""

    start: datetime = strawberry.field(description="Included, with the time zone's offset.")
    end: datetime = strawberry.field(description="Not included, with the time zone's offset.")
    time_zone: TimeZone = strawberry.field(description="The zone whose calendar was used.")
    final: bool = strawberry.field(
        description="Whether all that happened in it has come: `asOf` is `limits.finalAfterDays` past its end. Events "
        "are counted by their own time and may come later. Only what operators write later still (backfills, "
        "repairs, rejected events sent again) can change it."
    )


@strawberry.interface(
    description="What every answer says about itself: of what timeframe, of when, and how sure."
)
class Answer:
    """Window, age and exactness of an answer."""

    window: Window = strawberry.field(
        description="The timeframe that was used: what `last` and `calendar` meant."
    )
    as_of: datetime = strawberry.field(
        description="Every event that reached the pipeline before this instant, in UTC, is counted or rejected."
    )
    exact: bool = strawberry.field(
        description="False only where the store cut groups or no longer keeps all of the window; then "
        "`extensions.inexact` says why."
    )


@strawberry.type(description="Where a page stands (Relay).")
class PageInfo:
    """Relay's page info."""

    has_next_page: bool = strawberry.field(
        description="Whether more follow; with `last`, whether this page came by a cursor. A ranking's pages end at rank "
        "`limits.maxRank`."
    )
    has_previous_page: bool = strawberry.field(
        description="Whether there are some before: known with `last`; else, whether this page came by a cursor."
    )
    start_cursor: str | None = strawberry.field(
        description="The first one's cursor, for `before` where there is one; null if the page is empty."
    )
    end_cursor: str | None = strawberry.field(
        description="The last one's cursor, for `after`; null if the page is empty."
    )


@strawberry.type(description="Totals compared with an earlier window.")
class TotalsComparison:
    """Change of totals."""

    window: Window = strawberry.field(
        description="The timeframe compared with; one to date ends where as much of it has passed."
    )
    transaction_count: Long = strawberry.field(
        description="Number of transactions then, reversals included."
    )
    transaction_amount: Decimal = strawberry.field(
        description="Money then, less what reversals took back."
    )
    transaction_count_change: Long = strawberry.field(description="Transactions now minus then.")
    transaction_amount_change: Decimal = strawberry.field(description="Money now minus then.")
    transaction_count_change_ratio: Decimal | None = strawberry.field(
        description="Change divided by then: 0.25 is 25 % more. Null if then is zero. 8 decimals."
    )
    transaction_amount_change_ratio: Decimal | None = strawberry.field(
        description="Change divided by then: 0.25 is 25 % more. Null if then is zero or less. 8 decimals."
    )


@strawberry.type(
    description="How many transactions are reversals, and how much money they took back."
)
class ReversalTotals:
    """Reversals."""

    transaction_count: Long = strawberry.field(
        description="Number of reversals; the other transactions are transfers."
    )
    transaction_amount: Decimal = strawberry.field(
        description="Exact sum of what was reversed, 0 or more: the amount beside it, in which this is already "
        "subtracted, plus this one is the sum of the transfers."
    )


@strawberry.type(description="How many transactions and how much money, in one direction.")
class Totals(Answer):
    """Totals."""

    source: Private[object]
    transaction_count: Long = strawberry.field(description=COUNT)
    transaction_amount: Decimal = strawberry.field(description=f"{NET} {UNIT}")
    average_amount: Decimal | None = strawberry.field(
        description="The mean of the transfers: their sum by their number, reversals in neither. Half-even to 8 "
        "decimals; null without transfers.",
        directives=[cost.REVERSALS],
    )
    comparison: TotalsComparison | None = strawberry.field(
        description="The change since the window that `compareTo` or `compareWindow` names; null without."
    )

    @strawberry.field(
        description="How many different accounts were on the other side.",
        directives=[cost.DISTINCT],
    )
    async def counterparty_count(self, info: strawberry.Info) -> Long | None:
        """Fetched only if asked for; null, with an error, if that alone fails."""
        return Long(await _fetching(info).counterparty_count(self.source))

    @strawberry.field(
        description="The reversals among these transactions, by their own time: a reversal of an older transfer "
        "is among them, one that comes after the window is not.",
        directives=[cost.REVERSALS],
    )
    def reversals(self, info: strawberry.Info) -> ReversalTotals:
        """Told apart only if asked for."""
        return _fetching(info).reversals(self.source)


@strawberry.type(description="A number of transactions and their money.")
class Flow:
    """One side of a net flow."""

    source: Private[object]
    transaction_count: Long = strawberry.field(description=COUNT)
    transaction_amount: Decimal = strawberry.field(description=NET)

    @strawberry.field(
        description="The reversals among these transactions, by their own time.",
        directives=[cost.REVERSALS],
    )
    def reversals(self, info: strawberry.Info) -> ReversalTotals:
        """Told apart only if asked for."""
        return _fetching(info).reversals(self.source)


@strawberry.type(description="A net flow compared with an earlier window.")
class NetFlowComparison:
    """Change of a net flow."""

    window: Window = strawberry.field(
        description="The timeframe compared with; one to date ends where as much of it has passed."
    )
    received: Flow = strawberry.field(description="What came to the account then.")
    sent: Flow = strawberry.field(description="What left the account then.")
    net_amount: Decimal = strawberry.field(description="Received minus sent, then.")
    net_amount_change: Decimal = strawberry.field(
        description="Net amount now minus then. There is no ratio: a net amount may be zero or negative."
    )


@strawberry.type(description="What came in, what went out, and the difference.")
class NetFlow(Answer):
    """A net flow."""

    received: Flow = strawberry.field(description="What came to the account.")
    sent: Flow = strawberry.field(description="What left the account.")
    net_amount: Decimal = strawberry.field(description="Received minus sent; may be negative.")
    comparison: NetFlowComparison | None = strawberry.field(
        description="The change since the window that `compareTo` or `compareWindow` names; null without."
    )
