"""What `Query` and `Subscription` both begin with; each describes the fields in its own words."""

from __future__ import annotations

from typing import Annotated

import strawberry
from strawberry import ID

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


def account(info: strawberry.Info, id: IdArgument) -> Account | None:  # noqa: A002
    """An account; whether anybody has heard of it is not told."""
    return Account(id=ID(resolvers(info).account_id(id, "id")))


def accounts(
    info: strawberry.Info,
    ids: Annotated[
        list[ID], strawberry.argument(description="Up to `limits.maxAccounts` (50) ids.")
    ],
) -> list[Account | None] | None:
    """Several accounts."""
    return [Account(id=ID(each)) for each in resolvers(info).account_ids(ids)]


def account_set(
    info: strawberry.Info,
    ids: SetIdsArgument = strawberry.UNSET,
    group: GroupArgument = strawberry.UNSET,
    internal_transfers: InternalArgument = InternalTransfers.EXCLUDED,
) -> AccountSet | None:
    """Several accounts together."""
    return account_set_of(info, given(ids), given(group), internal_transfers)


def network(info: strawberry.Info) -> Network | None:
    """All accounts."""
    resolvers(info).network()
    return Network()


async def pipeline(info: strawberry.Info) -> Pipeline | None:
    """The pipeline."""
    return await resolvers(info).pipeline()
