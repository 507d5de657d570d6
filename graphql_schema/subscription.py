"""What can be subscribed to: the questions of `Query`, answered anew as long as somebody listens."""

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
from graphql_schema.system import Pipeline


@strawberry.type(
    description="The same questions as events: a full snapshot at once, then one each time that something changed, "
    "at most one a second. `extensions.sequence` numbers them from 1. Asked at `/graphql` with "
    "`Accept: text/event-stream`. A snapshot costs what the query costs."
)
class Subscription:
    """The entry points; each gives one snapshot, as the fields of `Query` do."""

    @strawberry.field(
        description="One account. The stream ends, with FORBIDDEN, if the caller may not read it, or no longer."
    )
    def account(
        self,
        info: strawberry.Info,
        id: IdArgument,  # noqa: A002
    ) -> Account | None:
        """An account; whether anybody has heard of it is not told."""
        return Account(id=ID(resolvers(info).account_id(id, "id")))

    @strawberry.field(
        description="Several accounts at once, in the order asked, each once. The stream ends, with FORBIDDEN, if "
        "the caller may not read every one of them, or no longer.",
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
        description="Several accounts as one. The stream ends, with FORBIDDEN, if the caller may not read every one of "
        "them, or no longer."
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
        description="The whole system: figures over all accounts, for operators; FORBIDDEN to everyone else."
    )
    def network(self, info: strawberry.Info) -> Network | None:
        """All accounts."""
        resolvers(info).network()
        return Network()

    @strawberry.field(
        description="How far the pipeline has come. That `asOf` and `freshnessSeconds` go on is no change: a "
        "snapshot comes when anything else selected does, `state` above all."
    )
    async def pipeline(self, info: strawberry.Info) -> Pipeline | None:
        """The pipeline."""
        return await resolvers(info).pipeline()
