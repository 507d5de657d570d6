"""The types of the answers; fields that cost a store query of their own are asked for lazily."""

# mypy: disallow-untyped-decorators=False
# strawberry.field is not typed as a decorator with arguments.

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Protocol

import strawberry
from strawberry import ID, Private

from graphql_schema import cost
from graphql_schema.asked import resolvers_at
from graphql_schema.enums import Granularity
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

    async def ranking_others(self, source: object) -> Remainder:
        """What a ranking's rows leave out."""
        ...

    async def ranking_total(self, source: object) -> Remainder:
        """A ranking's rows and the others together."""
        ...

    async def remainder_count(self, source: object) -> int:
        """Different accounts behind a remainder."""
        ...

    async def share_of_amount(self, source: object) -> Decimal | None:
        """A row's part of the ranking's whole amount."""
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
        description="False only where the store cut groups; then `extensions.inexact` says why."
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
        description="`transactionAmount` by `transactionCount`, half-even to 8 decimals: a reversal lowers the "
        "amount and is a transaction itself. Null without transactions."
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


@strawberry.type(description="A number of transactions, their money, and the accounts behind them.")
class Remainder:
    """What a ranking leaves out, or all of it."""

    source: Private[object]
    transaction_count: Long = strawberry.field(description=COUNT)
    transaction_amount: Decimal = strawberry.field(description=NET)

    @strawberry.field(
        description="How many different accounts these are.", directives=[cost.DISTINCT]
    )
    async def counterparty_count(self, info: strawberry.Info) -> Long | None:
        """Fetched only if asked for; null, with an error, if that alone fails."""
        return Long(await _fetching(info).remainder_count(self.source))


@strawberry.type(description="Where a ranked account stood in the earlier window.")
class CounterpartyComparison:
    """Change of a rank."""

    previous_rank: int | None = strawberry.field(
        description="The rank then. Null if it had no transactions, or was beyond rank 1,000."
    )
    previous_transaction_count: Long = strawberry.field(description="Number of transactions then.")
    previous_transaction_amount: Decimal = strawberry.field(
        description="Money then, less what reversals took back."
    )
    rank_change: int | None = strawberry.field(
        description="Previous rank minus rank: positive is a rise. Null without a previous rank."
    )
    is_new: bool = strawberry.field(description="Whether it had no transactions then.")


@strawberry.type(description="One row of a ranking.")
class CounterpartyTotal:
    """A ranked account."""

    source: Private[object]
    rank: int = strawberry.field(description="1, 2, 3 and so on; no rank is given twice.")
    account_id: ID = strawberry.field(
        description="The ranked account; `masked:` and a hash where the caller may not see its id."
    )
    transaction_count: Long = strawberry.field(description=COUNT)
    transaction_amount: Decimal = strawberry.field(description=NET)
    comparison: CounterpartyComparison | None = strawberry.field(
        description="The change since the window that `compareTo` or `compareWindow` names; null without."
    )

    @strawberry.field(
        description="Part of the `total` amount: 0.25 is 25 %. Half-even to 8 decimals; null if that is 0 "
        "or less. Beyond 0 to 1 only where reversals make an amount negative.",
        directives=[cost.SHARE],
    )
    async def share_of_amount(self, info: strawberry.Info) -> Decimal | None:
        """Fetched only if asked for; null, with an error, if that alone fails."""
        return await _fetching(info).share_of_amount(self.source)


@strawberry.type(
    description="An account's counterparties: chosen measure descending, then the other measure "
    "descending, then account id ascending by Unicode code points."
)
class TopCounterparties(Answer):
    """A ranking of counterparties."""

    source: Private[object]
    comparison_window: Window | None = strawberry.field(
        description="The timeframe that `comparison` is with; null without one."
    )
    rows: list[CounterpartyTotal] = strawberry.field(
        description="The first `first` accounts, best first; fewer where there are fewer."
    )

    @strawberry.field(
        description="What the rows leave out: `total` minus the rows, to the digit.",
        directives=[cost.TOTALS],
    )
    async def others(self, info: strawberry.Info) -> Remainder | None:
        """Fetched only if asked for; null, with an error, if that alone fails."""
        return await _fetching(info).ranking_others(self.source)

    @strawberry.field(description="All of it: the rows and the others.", directives=[cost.TOTALS])
    async def total(self, info: strawberry.Info) -> Remainder | None:
        """Fetched only if asked for; null, with an error, if that alone fails."""
        return await _fetching(info).ranking_total(self.source)


@strawberry.type(description="Accounts of the whole network, ranked as counterparties are.")
class TopAccounts(Answer):
    """A ranking of accounts."""

    source: Private[object]
    comparison_window: Window | None = strawberry.field(
        description="The timeframe that `comparison` is with; null without one."
    )
    rows: list[CounterpartyTotal] = strawberry.field(
        description="The first `first` accounts, best first; fewer where there are fewer."
    )

    @strawberry.field(
        description="What the rows leave out: `total` minus the rows, to the digit.",
        directives=[cost.TOTALS],
    )
    async def others(self, info: strawberry.Info) -> Remainder | None:
        """Fetched only if asked for; null, with an error, if that alone fails."""
        return await _fetching(info).ranking_others(self.source)

    @strawberry.field(description="All of it: the rows and the others.", directives=[cost.TOTALS])
    async def total(self, info: strawberry.Info) -> Remainder | None:
        """Fetched only if asked for; null, with an error, if that alone fails."""
        return await _fetching(info).ranking_total(self.source)


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


@strawberry.type(description="What came in, what went out, and the difference.")
class NetFlow(Answer):
    """A net flow."""

    received: Flow = strawberry.field(description="What came to the account.")
    sent: Flow = strawberry.field(description="What left the account.")
    net_amount: Decimal = strawberry.field(description="Received minus sent; may be negative.")
