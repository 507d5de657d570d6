"""From which address a request comes, and what that is for."""

from __future__ import annotations

import httpx
import pytest

from gateway.access.auth.credential import Headers
from gateway.settings import Settings
from tests.identity_provider import Trust, bearer, token
from tests.unit.gateway.served import TOTALS, Gateway

pytestmark = pytest.mark.anyio
PROXY = "10.0.0.1"


def client(gateway: Gateway, address: str) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(gateway.app, client=(address, 4711))
    return httpx.AsyncClient(transport=transport, base_url="http://localhost")


def sent(headers: Headers, **more: str) -> dict[str, str]:
    named = {name.decode(): value.decode() for name, value in headers}
    return named | {name.replace("_", "-"): value for name, value in more.items()}


async def ask(
    gateway: Gateway, peer: str, headers: dict[str, str], path: str = "/graphql"
) -> httpx.Response:
    if path != "/graphql":
        return await client(gateway, peer).get(path, headers=headers)
    return await client(gateway, peer).post(path, json={"query": TOTALS}, headers=headers)


@pytest.mark.parametrize("path", ["/graphql", "/metrics"])
async def test_too_many_failed_logins_are_told_with_when_to_come_again(
    trust: Trust, path: str
) -> None:
    gateway = Gateway(trust.settings(failed_logins_burst=3))
    answers = [await ask(gateway, "192.0.2.7", sent(bearer("guess")), path) for _ in range(5)]
    assert [each.status_code for each in answers] == [401, 401, 401, 429, 429]
    (error,) = answers[-1].json()["errors"]
    assert error["extensions"]["code"] == "RATE_LIMITED"
    assert error["extensions"]["retryAfterSeconds"] == 1
    assert error["extensions"]["requestId"]
    assert answers[-1].headers["retry-after"] == "1"
    assert (await ask(gateway, "192.0.2.7", {})).status_code == 401, "who sends none is told so"
    good = sent(bearer(token()))
    assert (await ask(gateway, "192.0.2.8", good)).status_code == 200
    assert (await ask(gateway, "192.0.2.7", good)).status_code == 200, "it was good a moment ago"


async def test_pages_that_are_not_for_all_count_as_well(trust: Trust) -> None:
    gateway = Gateway(trust.settings(failed_logins_burst=3, introspection=False))
    paths = ("/docs", "/schema.graphql", "/metrics", "/graphql", "/docs")
    answers = [await ask(gateway, "192.0.2.7", sent(bearer("guess")), path) for path in paths]
    assert [each.status_code for each in answers] == [404, 404, 401, 429, 404]


async def test_behind_a_trusted_proxy_those_it_asks_for_are_told_apart(trust: Trust) -> None:
    gateway = Gateway(trust.settings(failed_logins_burst=2, trusted_proxies=f"{PROXY}/32"))
    guess = bearer("guess")
    for address, status in (("198.51.100.1", 429), ("198.51.100.2", 401)):
        headers = sent(guess, x_forwarded_for=address)
        for _ in range(2 if status == 429 else 0):
            assert (await ask(gateway, PROXY, headers)).status_code == 401
        assert (await ask(gateway, PROXY, headers)).status_code == status
    forged = sent(guess, x_forwarded_for="203.0.113.9, 198.51.100.1")
    assert (await ask(gateway, PROXY, forged)).status_code == 429


async def test_who_is_no_trusted_proxy_is_not_believed(trust: Trust) -> None:
    for trusted in ("", "10.0.0.0/8"):
        gateway = Gateway(trust.settings(failed_logins_burst=2, trusted_proxies=trusted))
        statuses = [
            (
                await ask(
                    gateway, "192.0.2.7", sent(bearer("guess"), x_forwarded_for=f"198.51.100.{n}")
                )
            ).status_code
            for n in range(4)
        ]
        assert statuses == [401, 401, 429, 429]


async def test_budgets_of_addresses_go_by_whose_they_are() -> None:
    gateway = Gateway(
        Settings(anonymous_budget_per_s=1, anonymous_budget_burst=100, trusted_proxies="10.0.0.0/8")
    )
    for number in range(10):
        answer = await ask(gateway, PROXY, {"x-forwarded-for": f"2001:db8::{number}"})
    assert answer.status_code == 429
    assert (await ask(gateway, PROXY, {"x-forwarded-for": "2001:db9::1"})).status_code == 200
