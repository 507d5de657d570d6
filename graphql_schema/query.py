"""The entry points."""

# mypy: disallow-untyped-decorators=False
# strawberry.field is not typed as a decorator with arguments.

from __future__ import annotations

import strawberry

from graphql_schema import cost, entry_points
from graphql_schema.account import Account
from graphql_schema.account_set import AccountSet
from graphql_schema.network import Network
from graphql_schema.port import resolvers
from graphql_schema.system import Limits, Pipeline


@strawberry.type(description="Payment analytics, exact and seconds old.")
class Query:
    """The entry points."""

    account: Account | None = strawberry.field(
        resolver=entry_points.account,
        description="One account. Null, with an error, if it cannot be asked about; FORBIDDEN if the "
        "caller may not read it, whether it exists or not.",
    )
    accounts: list[Account | None] | None = strawberry.field(
        resolver=entry_points.accounts,
        description="Several accounts at once, in the order asked, each once; their totals and "
        "net flows come out of one store query a window. Null, with an error that names the place, if one of the "
        "ids cannot be an account's or there are too many; FORBIDDEN if the caller may not read every one of them.",
        directives=[cost.up_to(50)],
    )
    account_set: AccountSet | None = strawberry.field(
        resolver=entry_points.account_set,
        description="Several accounts as one: each answer is about all of them together, out of one store query. Null, "
        "with an error, if one of them cannot be asked about; FORBIDDEN if the caller may not read every one of them, "
        "or has no such group.",
    )
    network: Network | None = strawberry.field(
        resolver=entry_points.network,
        description="The whole system: figures over all accounts, for operators; FORBIDDEN to "
        "everyone else.",
    )
    pipeline: Pipeline | None = strawberry.field(
        resolver=entry_points.pipeline,
        description="How far the pipeline has come: is what is shown up to date? Null, with an error, while "
        "that cannot be told.",
    )

    @strawberry.field(
        description="What one operation may ask for; to be asked once, not with every operation."
    )
    def limits(self, info: strawberry.Info) -> Limits:
        """The limits."""
        return resolvers(info).limits()
