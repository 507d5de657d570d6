"""The types of rankings and of what they leave out."""

# mypy: disallow-untyped-decorators=False
# strawberry.field is not typed as a decorator with arguments.

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Protocol

import strawberry
from strawberry import ID, Private

from graphql_schema import cost
from graphql_schema.answers import COUNT, NET, Answer, PageInfo, ReversalTotals, Window
from graphql_schema.asked import resolvers_at
from graphql_schema.scalars import Long

OTHERS = "What the rows leave out: `total` minus the rows, to the digit."
TOTAL = "All of it: the rows and the others."
RANK = (
    "One account's row, wherever it stands: its rank, measures and comparison. Null if it has no "
    "transactions here; COST_LIMIT_EXCEEDED if it stands behind rank `limits.maxRank`."
)
RankedArgument = Annotated[
    ID,
    strawberry.argument(
        description="1 to 64 characters, or a masked id as the caller itself was shown it. Who is shown "
        "masked ids may name others by these only."
    ),
]


class Fetching(Protocol):
    """What is fetched for a field of a ranking; `source` is what was put into the type that asks."""

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

    async def row_reversals(self, source: object) -> ReversalTotals:
        """The reversals behind a row."""
        ...

    async def rank_of(self, source: object, account_id: str) -> CounterpartyTotal | None:
        """One account's row of a ranking."""
        ...

    async def dropped(self, source: object) -> list[CounterpartyTotal] | None:
        """Who was among the first of the earlier window, and is not now."""
        ...


def _fetching(info: strawberry.Info) -> Fetching:
    fetching: Fetching = resolvers_at(info)
    return fetching


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
        description="The ranked account; `masked:` and a text of the caller's own where it may not see the id."
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

    @strawberry.field(
        description="The reversals among its transactions, by their own time; fetched for all rows at once, after "
        "them, so one that has just come may be in here alone.",
        directives=[cost.REVERSED_BY],
    )
    async def reversals(self, info: strawberry.Info) -> ReversalTotals | None:
        """Fetched only if asked for; null, with an error, if that alone fails."""
        return await _fetching(info).row_reversals(self.source)


@strawberry.type
class _Ranked(Answer):
    """What the rankings of all kinds answer; no type of the API by itself."""

    source: Private[object]
    comparison_window: Window | None = strawberry.field(
        description="The timeframe that `comparison` is with; null without one."
    )
    rows: list[CounterpartyTotal] = strawberry.field(
        description="`first` accounts from the first on, or from behind `after`; fewer where there are fewer."
    )
    page_info: PageInfo = strawberry.field(
        description="Where these rows stand. A cursor goes on in the windows that the first page had, up to its "
        "`asOf`."
    )

    @strawberry.field(description=OTHERS, directives=[cost.TOTALS])
    async def others(self, info: strawberry.Info) -> Remainder | None:
        """Fetched only if asked for; null, with an error, if that alone fails."""
        return await _fetching(info).ranking_others(self.source)

    @strawberry.field(description=TOTAL, directives=[cost.TOTALS])
    async def total(self, info: strawberry.Info) -> Remainder | None:
        """Fetched only if asked for; null, with an error, if that alone fails."""
        return await _fetching(info).ranking_total(self.source)

    @strawberry.field(description=RANK, directives=[cost.RANK_OF])
    async def rank_of(
        self, info: strawberry.Info, account_id: RankedArgument
    ) -> CounterpartyTotal | None:
        """Fetched only if asked for; null, with an error, if that alone fails."""
        return await _fetching(info).rank_of(self.source, account_id)

    @strawberry.field(
        description="Who was among the first `first` of `comparisonWindow` and is not now, best first, as they stood "
        "then: rank, measures and share are of then. Null without a comparison, and on later pages.",
        directives=[cost.SHARE],
    )
    async def dropped(self, info: strawberry.Info) -> list[CounterpartyTotal] | None:
        """Fetched only if asked for; null, with an error, if that alone fails."""
        return await _fetching(info).dropped(self.source)


@strawberry.type(
    description="An account's counterparties: chosen measure descending, then the other measure "
    "descending, then account id ascending by Unicode code points; or both measures ascending."
)
class TopCounterparties(_Ranked):
    """A ranking of counterparties."""


@strawberry.type(description="Accounts of the whole network, ranked as counterparties are.")
class TopAccounts(_Ranked):
    """A ranking of accounts, of which everything is asked of the whole network."""

    @strawberry.field(description=OTHERS, directives=[cost.NETWORK_TOTALS])
    async def others(self, info: strawberry.Info) -> Remainder | None:
        """Fetched only if asked for; null, with an error, if that alone fails."""
        return await _fetching(info).ranking_others(self.source)

    @strawberry.field(description=TOTAL, directives=[cost.NETWORK_TOTALS])
    async def total(self, info: strawberry.Info) -> Remainder | None:
        """Fetched only if asked for; null, with an error, if that alone fails."""
        return await _fetching(info).ranking_total(self.source)

    @strawberry.field(description=RANK, directives=[cost.NETWORK_RANK_OF])
    async def rank_of(
        self, info: strawberry.Info, account_id: RankedArgument
    ) -> CounterpartyTotal | None:
        """Fetched only if asked for; null, with an error, if that alone fails."""
        return await _fetching(info).rank_of(self.source, account_id)
