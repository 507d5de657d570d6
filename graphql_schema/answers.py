"""The types of the answers; fields that cost a store query of their own are asked for lazily."""

# mypy: disallow-untyped-decorators=False
# strawberry.field is not typed as a decorator with arguments.

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import strawberry
from strawberry import ID, Private

from graphql_schema import cost
from graphql_schema.enums import Direction, Granularity
from graphql_schema.port import resolvers
from graphql_schema.scalars import Long, TimeZone

UNIT = "Amounts have no currency of their own: they are in the unit of the events."


@strawberry.type(description="The timeframe that an answer is about. Half-open.")
class Window:
    """A resolved window."""

    start: datetime = strawberry.field(description="Included, with the time zone's offset.")
    end: datetime = strawberry.field(description="Not included, with the time zone's offset.")
    time_zone: TimeZone = strawberry.field(description="The zone whose calendar was used.")


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

    window: Window = strawberry.field(description="The earlier timeframe.")
    transaction_count: Long = strawberry.field(description="Number of transactions then.")
    transaction_amount: Decimal = strawberry.field(description="Money then.")
    transaction_count_change: Long = strawberry.field(description="Transactions now minus then.")
    transaction_amount_change: Decimal = strawberry.field(description="Money now minus then.")
    transaction_count_change_ratio: Decimal | None = strawberry.field(
        description="Change divided by then: 0.25 is 25 % more. Null if then is zero. 8 decimals."
    )
    transaction_amount_change_ratio: Decimal | None = strawberry.field(
        description="Change divided by then: 0.25 is 25 % more. Null if then is zero. 8 decimals."
    )


@strawberry.type(description="How many transactions and how much money, in one direction.")
class Totals(Answer):
    """Totals."""

    source: Private[object]
    transaction_count: Long = strawberry.field(description="Number of transactions.")
    transaction_amount: Decimal = strawberry.field(description=f"Exact sum. {UNIT}")
    average_amount: Decimal | None = strawberry.field(
        description="Amount by count, half-even to 8 decimals. Null without transactions."
    )
    comparison: TotalsComparison | None = strawberry.field(
        description="The change since the window that `compareTo` names; null without it."
    )

    @strawberry.field(
        description="How many different accounts were on the other side.",
        directives=[cost.DISTINCT],
    )
    async def counterparty_count(self, info: strawberry.Info) -> Long:
        """Fetched only if asked for."""
        return Long(await resolvers(info).counterparty_count(self.source))


@strawberry.type(description="A number of transactions, their money, and the accounts behind them.")
class Remainder:
    """What a ranking leaves out, or all of it."""

    source: Private[object]
    transaction_count: Long = strawberry.field(description="Number of transactions.")
    transaction_amount: Decimal = strawberry.field(description="Exact sum.")

    @strawberry.field(
        description="How many different accounts these are.", directives=[cost.DISTINCT]
    )
    async def counterparty_count(self, info: strawberry.Info) -> Long:
        """Fetched only if asked for."""
        return Long(await resolvers(info).remainder_count(self.source))


@strawberry.type(description="Where a ranked account stood in the earlier window.")
class CounterpartyComparison:
    """Change of a rank."""

    previous_rank: int | None = strawberry.field(
        description="The rank then. Null if it had no transactions, or was beyond rank 1,000."
    )
    previous_transaction_count: Long = strawberry.field(description="Number of transactions then.")
    previous_transaction_amount: Decimal = strawberry.field(description="Money then.")
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
    transaction_count: Long = strawberry.field(description="Number of transactions.")
    transaction_amount: Decimal = strawberry.field(description="Exact sum.")
    comparison: CounterpartyComparison | None = strawberry.field(
        description="The change since the window that `compareTo` names; null without it."
    )

    @strawberry.field(
        description="Part of the `total` amount: 0.25 is 25 %. Half-even to 8 decimals; null if that is 0.",
        directives=[cost.SHARE],
    )
    async def share_of_amount(self, info: strawberry.Info) -> Decimal | None:
        """Fetched only if asked for."""
        return await resolvers(info).share_of_amount(self.source)


@strawberry.type(
    description="An account's counterparties: chosen measure descending, then the other measure "
    "descending, then account id ascending by Unicode code points."
)
class TopCounterparties(Answer):
    """A ranking of counterparties."""

    source: Private[object]
    rows: list[CounterpartyTotal] = strawberry.field(
        description="The first `first` accounts, best first; fewer where there are fewer."
    )

    @strawberry.field(
        description="What the rows leave out: `total` minus the rows, to the digit.",
        directives=[cost.TOTALS],
    )
    async def others(self, info: strawberry.Info) -> Remainder:
        """Fetched only if asked for."""
        return await resolvers(info).ranking_others(self.source)

    @strawberry.field(description="All of it: the rows and the others.", directives=[cost.TOTALS])
    async def total(self, info: strawberry.Info) -> Remainder:
        """Fetched only if asked for."""
        return await resolvers(info).ranking_total(self.source)


@strawberry.type(description="Accounts of the whole network, ranked as counterparties are.")
class TopAccounts(Answer):
    """A ranking of accounts."""

    source: Private[object]
    rows: list[CounterpartyTotal] = strawberry.field(
        description="The first `first` accounts, best first; fewer where there are fewer."
    )

    @strawberry.field(
        description="What the rows leave out: `total` minus the rows, to the digit.",
        directives=[cost.TOTALS],
    )
    async def others(self, info: strawberry.Info) -> Remainder:
        """Fetched only if asked for."""
        return await resolvers(info).ranking_others(self.source)

    @strawberry.field(description="All of it: the rows and the others.", directives=[cost.TOTALS])
    async def total(self, info: strawberry.Info) -> Remainder:
        """Fetched only if asked for."""
        return await resolvers(info).ranking_total(self.source)


@strawberry.type(description="One bucket of a series. Half-open.")
class TimePoint:
    """A point."""

    start: datetime = strawberry.field(description="Included, with the time zone's offset.")
    end: datetime = strawberry.field(description="Not included, with the time zone's offset.")
    partial: bool = strawberry.field(
        description="Whether the window clips the bucket, or it is not over yet."
    )
    transaction_count: Long = strawberry.field(description="Number of transactions.")
    transaction_amount: Decimal = strawberry.field(description="Exact sum.")


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

    transaction_count: Long = strawberry.field(description="Number of transactions.")
    transaction_amount: Decimal = strawberry.field(description="Exact sum.")


@strawberry.type(description="What came in, what went out, and the difference.")
class NetFlow(Answer):
    """A net flow."""

    received: Flow = strawberry.field(description="What came to the account.")
    sent: Flow = strawberry.field(description="What left the account.")
    net_amount: Decimal = strawberry.field(description="Received minus sent; may be negative.")


@strawberry.type(description="One transaction, from the account's side.")
class Transaction:
    """An entry."""

    transaction_id: ID = strawberry.field(
        description="UUID in lower case; the same in both accounts' entries of a transfer."
    )
    direction: Direction = strawberry.field(description="The account's side.")
    counterparty_id: ID = strawberry.field(
        description="The account on the other side; `masked:` and a hash where the caller may not "
        "see its id."
    )
    amount: Decimal = strawberry.field(
        description="Exact, always positive: `direction` tells which way it went."
    )
    time: datetime = strawberry.field(
        description="When the event entered the pipeline, to the millisecond, in UTC."
    )


@strawberry.type(description="A transaction and its place.")
class TransactionEdge:
    """Edge of the connection."""

    cursor: str = strawberry.field(
        description="Opaque; give it as `after` to go on behind this one."
    )
    node: Transaction = strawberry.field(description="The transaction.")


@strawberry.type(description="Where a page stands (Relay).")
class PageInfo:
    """Relay's page info."""

    has_next_page: bool = strawberry.field(description="Whether older transactions follow.")
    has_previous_page: bool = strawberry.field(description="Whether this page came by a cursor.")
    start_cursor: str | None = strawberry.field(
        description="The first edge's cursor; null without edges."
    )
    end_cursor: str | None = strawberry.field(
        description="The last edge's cursor, for `after`; null without edges."
    )


@strawberry.type(
    description="Transactions, newest first (Relay). A cursor goes on in the window that the "
    "first page had, so that pages neither skip nor repeat while transactions arrive."
)
class TransactionConnection(Answer):
    """A page of transactions."""

    edges: list[TransactionEdge] = strawberry.field(description="The transactions of this page.")
    page_info: PageInfo = strawberry.field(description="Where the page stands.")
