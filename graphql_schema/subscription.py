"""What can be subscribed to: the questions of `Query`, answered anew as long as somebody listens."""

from __future__ import annotations

import strawberry

from graphql_schema import cost, entry_points
from graphql_schema.account import Account
from graphql_schema.account_set import AccountSet
from graphql_schema.network import Network
from graphql_schema.system import Pipeline


@strawberry.type(
    description="The same questions as events: a full snapshot at once, then one each time that something changed, "
    "at most one a second. `extensions.sequence` numbers them from 1. Asked at `/graphql` with "
    "`Accept: text/event-stream`, or over a WebSocket in `graphql-transport-ws`. A snapshot costs what the query costs."
)
class Subscription:
    """The entry points; each gives one snapshot, as the fields of `Query` do."""

    account: Account | None = strawberry.field(
        resolver=entry_points.account,
        description="One account. The stream ends, with FORBIDDEN, if the caller may not read it, or no longer.",
    )
    accounts: list[Account | None] | None = strawberry.field(
        resolver=entry_points.accounts,
        description="Several accounts at once, in the order asked, each once. The stream ends, with FORBIDDEN, if "
        "the caller may not read every one of them, or no longer.",
        directives=[cost.up_to(50)],
    )
    account_set: AccountSet | None = strawberry.field(
        resolver=entry_points.account_set,
        description="Several accounts as one. The stream ends, with FORBIDDEN, if the caller may not read every one of "
        "them, or no longer.",
    )
    network: Network | None = strawberry.field(
        resolver=entry_points.network,
        description="The whole system: figures over all accounts, for operators; FORBIDDEN to everyone else.",
    )
    pipeline: Pipeline | None = strawberry.field(
        resolver=entry_points.pipeline,
        description="How far the pipeline has come. That `asOf` and `freshnessSeconds` go on is no change: a "
        "snapshot comes when anything else selected does, `state` above all.",
    )
