"""The types of single transactions and of their pages (Relay)."""

# mypy: disallow-untyped-decorators=False
# strawberry.field is not typed as a decorator with arguments.

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Protocol

import strawberry
from strawberry import ID, Private

from graphql_schema import cost
from graphql_schema.answers import Answer, PageInfo
from graphql_schema.asked import resolvers_at
from graphql_schema.enums import Direction, TransactionKind
from graphql_schema.scalars import Long


class Fetching(Protocol):
    """What is fetched for a field of a transaction or of a list; `source` is what was put into the type that asks."""

    async def reversed_by(self, source: object) -> list[Transaction]:
        """The reversals of one transaction."""
        ...

    async def total_count(self, source: object) -> int:
        """How many transactions all pages of a list hold."""
        ...


def _fetching(info: strawberry.Info) -> Fetching:
    fetching: Fetching = resolvers_at(info)
    return fetching


@strawberry.type(description="One transaction, from the account's side.")
class Transaction:
    """An entry."""

    source: Private[object]
    transaction_id: ID = strawberry.field(
        description="UUID in lower case; the same in both accounts' entries. A reversal has one of its own."
    )
    kind: TransactionKind = strawberry.field(description="A transfer, or the reversal of one.")
    reverses: ID | None = strawberry.field(
        description="The `transactionId` of the transfer that this reversal takes back, of the same two accounts; "
        "null for a transfer."
    )
    direction: Direction = strawberry.field(
        description="The account's side; for a reversal, the side it had in the transfer."
    )
    counterparty_id: ID = strawberry.field(
        description="The account on the other side; `masked:` and a text of the caller's own where it "
        "may not see the id, and which serves it as `counterpartyId`."
    )
    amount: Decimal = strawberry.field(
        description="Exact: positive for a transfer, `direction` tells which way it went; negative for a reversal. "
        "So the amounts of one side add up to its totals."
    )
    time: datetime = strawberry.field(
        description="When it happened, as its producer says: the event's `occurred_at`, or the timestamp of its "
        "record; to the millisecond, with the time zone's offset. When it reached the pipeline is another "
        "instant, which `asOf` goes by."
    )

    @strawberry.field(
        description="The reversal of this transfer, at whatever time it came; empty if it was not reversed, or is a "
        "reversal itself.",
        directives=[cost.REVERSED_BY, cost.up_to(1)],
    )
    async def reversed_by(self, info: strawberry.Info) -> list[Transaction] | None:
        """Fetched only if asked for, for all transactions of a page at once."""
        return await _fetching(info).reversed_by(self.source)


@strawberry.type(description="A transaction and its place.")
class TransactionEdge:
    """Edge of the connection."""

    cursor: str = strawberry.field(
        description="Opaque; give it as `after` to go on behind this one, or as `before` to go back."
    )
    node: Transaction = strawberry.field(description="The transaction.")


@strawberry.type(
    description="Transactions, newest first unless `sortBy` says otherwise (Relay). The first page's window ends at its `asOf` at the latest, "
    "and a cursor goes on in it, so that pages neither skip nor repeat while transactions arrive."
)
class TransactionConnection(Answer):
    """A page of transactions."""

    source: Private[object]
    edges: list[TransactionEdge] = strawberry.field(description="The transactions of this page.")
    page_info: PageInfo = strawberry.field(description="Where the page stands.")

    @strawberry.field(
        description="How many transactions all pages of this list hold, as far as they have come.",
        directives=[cost.TOTALS],
    )
    async def total_count(self, info: strawberry.Info) -> Long | None:
        """Fetched only if asked for; null, with an error, if that alone fails."""
        return Long(await _fetching(info).total_count(self.source))
