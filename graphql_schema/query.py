"""The entry points."""

# mypy: disallow-untyped-decorators=False
# strawberry.field is not typed as a decorator with arguments.

from __future__ import annotations

from typing import Annotated

import strawberry
from strawberry import ID

from graphql_schema import cost
from graphql_schema.account import Account
from graphql_schema.account_set import AccountSet, account_set_of
from graphql_schema.arguments import (
    GroupArgument,
    IdArgument,
    InternalArgument,
    SetIdsArgument,
    given,
)
from graphql_schema.enums import InternalTransfers
from graphql_schema.network import Network
from graphql_schema.port import resolvers
from graphql_schema.system import Limits, Pipeline


@strawberry.type(description="Payment analytics, exact and seconds old.")
class Query:
    """The entry points."""

    @strawberry.field(
        description="One account. Null, with an error, if it cannot be asked about; FORBIDDEN if the "
        "caller may not read it, whether it exists or not."
    )
    def account(
        self,
        info: strawberry.Info,
        id: IdArgument,  # noqa: A002
    ) -> Account | None:
        """An account; whether anybody has heard of it is not told."""
        return Account(id=ID(resolvers(info).account_id(id, "id")))

    @strawberry.field(
        description="Several accounts at once, in the order asked, each once; their totals and "
        "net flows come out of one store query a window. Null, with an error that names the place, if one of the "
        "ids cannot be an account's or there are too many; FORBIDDEN if the caller may not read every one of them.",
        directives=[cost.up_to(50)],
    )
    def accounts(
        self,
        info: strawberry.Info,
        ids: Annotated[
            list[ID], strawberry.argument(description="Up to `limits.maxAccounts` (50) ids.")
        ],
    ) -> list[Account | None] | None:
        """Several accounts."""
        return [Account(id=ID(each)) for each in resolvers(info).account_ids(ids)]

    @strawberry.field(
        description="Several accounts as one: each answer is about all of them together, out of one store query. Null, "
        "with an error, if one of them cannot be asked about; FORBIDDEN if the caller may not read every one of them, "
        "or has no such group."
    )
    def account_set(
        self,
        info: strawberry.Info,
        ids: SetIdsArgument = strawberry.UNSET,
        group: GroupArgument = strawberry.UNSET,
        internal_transfers: InternalArgument = InternalTransfers.EXCLUDED,
    ) -> AccountSet | None:
        """Several accounts together."""
        return account_set_of(info, given(ids), given(group), internal_transfers)

    @strawberry.field(
        description="The whole system: figures over all accounts, for operators; FORBIDDEN to "
        "everyone else."
    )
    def network(self, info: strawberry.Info) -> Network | None:
        """All accounts."""
        resolvers(info).network()
        return Network()

    @strawberry.field(
        description="How far the pipeline has come: is what is shown up to date? Null, with an error, while "
        "that cannot be told."
    )
    async def pipeline(self, info: strawberry.Info) -> Pipeline | None:
        """The pipeline."""
        return await resolvers(info).pipeline()

    @strawberry.field(
        description="What one operation may ask for; to be asked once, not with every operation."
    )
    def limits(self, info: strawberry.Info) -> Limits:
        """The limits."""
        return resolvers(info).limits()
