"""The types of single transactions and of their pages (Relay)."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import strawberry
from strawberry import ID

from graphql_schema.answers import Answer
from graphql_schema.enums import Direction, TransactionKind


@strawberry.type(description="One transaction, from the account's side.")
class Transaction:
    """An entry."""

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
        description="The account on the other side; `masked:` and a hash where the caller may not "
        "see its id."
    )
    amount: Decimal = strawberry.field(
        description="Exact: positive for a transfer, `direction` tells which way it went; negative for a reversal. "
        "So the amounts of one side add up to its totals."
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
