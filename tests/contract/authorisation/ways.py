"""The ways to ask for all fields of an account."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable

import httpx

from tests.contract.authorisation.asked_for import ACCOUNT, APQ, BY_VARIABLE
from tests.contract.authorisation.world import READS, World

Way = Callable[[World, str, str], Awaitable[httpx.Response]]
"""Asks for all fields of an account (named `account` in the answer) as a caller."""


async def by_post(world: World, caller: str, account: str) -> httpx.Response:
    return await world.post(caller, f'{{ account(id: "{account}"){ACCOUNT} }}')


async def by_variable(world: World, caller: str, account: str) -> httpx.Response:
    return await world.post(caller, BY_VARIABLE, variables={"id": account})


async def by_get(world: World, caller: str, account: str) -> httpx.Response:
    world.store.plans.clear()
    parameters = {"query": BY_VARIABLE, "variables": json.dumps({"id": account})}
    return await world.client.get("/graphql", params=parameters, headers=world.headers(caller))


async def beside_own(world: World, caller: str, account: str) -> httpx.Response:
    own = min(READS.get(caller, {"alice"}))
    return await world.post(
        caller,
        f'{{ own: account(id: "{own}") {{ id }} account: account(id: "{account}"){ACCOUNT} }}',
    )


async def by_fragment(world: World, caller: str, account: str) -> httpx.Response:
    return await world.post(
        caller,
        f'{{ ...Root }} fragment Root on Query {{ ... on Query {{ account(id: "{account}") '
        f"{{ ...All }} }} }} fragment All on Account {ACCOUNT}",
    )


async def by_directive(world: World, caller: str, account: str) -> httpx.Response:
    query = "query ($id: ID!, $yes: Boolean!) { account(id: $id) @include(if: $yes)" + ACCOUNT + "}"
    return await world.post(caller, query, variables={"id": account, "yes": True})


async def by_operation_name(world: World, caller: str, account: str) -> httpx.Response:
    query = f'query Other {{ limits {{ maxFirst }} }} query Mine {{ account(id: "{account}"){ACCOUNT} }}'
    return await world.post(caller, query, operationName="Mine")


async def by_registered_document(world: World, caller: str, account: str) -> httpx.Response:
    """Registered by an operator and by the caller, for another account; asked for by its hash."""
    for registers in ("operator", caller):
        await world.post(registers, BY_VARIABLE, variables={"id": "carol"}, extensions=APQ)
    world.store.plans.clear()
    parameters = {"extensions": json.dumps(APQ), "variables": json.dumps({"id": account})}
    return await world.client.get("/graphql", params=parameters, headers=world.headers(caller))


async def by_trusted_document(world: World, caller: str, account: str) -> httpx.Response:
    world.store.plans.clear()
    body = {"documentId": "sha256:trusted", "variables": {"id": account}}
    return await world.client.post("/graphql", json=body, headers=world.headers(caller))


async def after_an_operator(world: World, caller: str, account: str) -> httpx.Response:
    """The same request that an operator has just been answered."""
    await by_get(world, "operator", account)
    return await by_get(world, caller, account)


async def with_an_operators_validator(world: World, caller: str, account: str) -> httpx.Response:
    """A conditional request with the tag of an operator's answer."""
    etag = (await by_get(world, "operator", account)).headers["etag"]
    parameters = {"query": BY_VARIABLE, "variables": json.dumps({"id": account})}
    headers = world.headers(caller) | {"if-none-match": etag}
    world.store.plans.clear()
    if account in READS.get(caller, ()):
        del headers["if-none-match"]
    return await world.client.get("/graphql", params=parameters, headers=headers)


WAYS: tuple[Way, ...] = (
    by_post,
    by_variable,
    by_get,
    beside_own,
    by_fragment,
    by_directive,
    by_operation_name,
    by_registered_document,
    by_trusted_document,
    after_an_operator,
    with_an_operators_validator,
)
