"""A connection whose credential ends says so of what it was asked, and is closed: nobody can ask by it any more."""

from __future__ import annotations

from typing import Any

import pytest

from tests.identity_provider import NOW_S, Trust, token
from tests.unit.gateway.process.listening import until
from tests.unit.gateway.served import Gateway
from tests.unit.gateway.socketed import Socket
from tests.unit.gateway.subscribed import TOTALS

pytestmark = pytest.mark.anyio
QUERY = 'query { account(id: "alice") { id } }'
SLOW = {"extensions": {"live": {"intervalMs": 3_600_000}}}
ENDED = (4401, "UNAUTHENTICATED: the credential is no longer valid")


async def known(gateway: Gateway, sent: str) -> Socket:
    """A connection that is acknowledged."""
    socket = Socket(gateway)
    payload = {"Authorization": f"Bearer {sent}"}
    await socket.says({"type": "connection_init", "payload": payload})
    await until(lambda: bool(socket.messages))
    return socket


async def passes(socket: Socket, seconds: int) -> int:
    """Some time, a second at a time; after how many what was asked was over, or all of them."""

    def over() -> bool:
        return "complete" in socket.kinds("a")

    for second in range(seconds):
        if over():
            return second
        await until(lambda: over() or socket.gateway.sleeping > 0)
        await socket.after(1)
    return seconds


def codes(socket: Socket, operation_id: str) -> list[str]:
    """Those of the errors that were told of one operation."""
    said = [each["payload"] for each in socket.of(operation_id) if "payload" in each]
    errors: list[Any] = [
        error
        for each in said
        for error in (each if isinstance(each, list) else each.get("errors", []))
    ]
    return [error["extensions"]["code"] for error in errors]


@pytest.mark.parametrize("more", [{}, SLOW])
async def test_a_revoked_credential_ends_the_connection_within_seconds(
    trust: Trust, more: dict[str, Any]
) -> None:
    gateway = Gateway(trust.settings())
    socket = await known(gateway, token())
    await socket.subscribes("a", TOTALS, **more)
    await until(lambda: socket.kinds("a") == ["next"])
    assert await passes(socket, 2) == 2
    trust.write("revoked.json", {"jti": ["token-1"], "sub": {}})
    assert await passes(socket, 20) <= 4
    assert socket.kinds("a") == ["next", "next", "complete"]
    assert codes(socket, "a") == ["UNAUTHENTICATED"]
    await socket.after(1)
    assert socket.closed == ENDED
    await socket.serving


async def test_what_is_asked_with_an_expired_token_is_refused_and_the_connection_closed(
    trust: Trust,
) -> None:
    gateway = Gateway(trust.settings())
    socket = await known(gateway, token(exp=NOW_S + 5))
    await socket.subscribes("a", QUERY)
    await until(lambda: socket.kinds("a") == ["next", "complete"])
    assert socket.closed is None
    await socket.after(5 + gateway.settings.auth_leeway_s + 1)
    await socket.subscribes("b", QUERY)
    await until(lambda: socket.closed is not None or socket.gateway.sleeping > 0)
    await socket.after(1)
    assert socket.kinds("b") == ["error"]
    assert codes(socket, "b") == ["UNAUTHENTICATED"]
    assert socket.closed == ENDED


@pytest.mark.parametrize("more", [{}, SLOW])
async def test_a_right_that_ends_leaves_the_connection_to_whoever_still_has_others(
    trust: Trust, more: dict[str, Any]
) -> None:
    gateway = Gateway(trust.settings())
    sent = token(role="partner", accounts=None, groups=["friends"], sees_counterparties=True)
    socket = await known(gateway, sent)
    await socket.subscribes("a", TOTALS, **more)
    await until(lambda: socket.kinds("a") == ["next"])
    trust.write("groups.json", {"friends": {"accounts": ["bob"]}})
    assert await passes(socket, 20) <= 4
    assert socket.kinds("a") == ["next", "next", "complete"]
    assert codes(socket, "a") == ["FORBIDDEN"]
    await socket.subscribes("b", QUERY.replace("alice", "bob"))
    await until(lambda: socket.kinds("b") == ["next", "complete"])
    assert socket.closed is None
