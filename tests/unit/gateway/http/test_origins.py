"""What browsers are allowed to send to here and to read of answers, for pages of which origins."""

from __future__ import annotations

import pytest

from gateway.settings import Settings, SettingsError, read
from tests.unit.gateway.served import Gateway

pytestmark = pytest.mark.anyio
APP = "https://app.example.org"
QUERY = {"query": "{ pipeline { asOf } }"}
SAFE_TO_READ = {
    *("cache-control", "content-language", "content-length", "content-type", "expires"),
    *("last-modified", "pragma"),
}
"""Response headers that browsers let every page read."""
FOR_BROWSERS = {
    *("x-content-type-options", "referrer-policy", "x-frame-options", "vary"),
    *("cross-origin-opener-policy", "cross-origin-resource-policy", "content-security-policy"),
}


async def allowed_by(gateway: Gateway, origin: str = APP) -> set[str]:
    """What a preflight says that a page may send."""
    asked = {"origin": origin, "access-control-request-method": "POST"}
    response = await gateway.client.options("/graphql", headers=asked)
    assert response.status_code == 204
    assert response.headers["access-control-allow-origin"] == origin
    return set(response.headers["access-control-allow-headers"].lower().split(", "))


async def test_what_graphql_clients_and_tracers_send_passes_a_preflight() -> None:
    allowed = await allowed_by(Gateway(Settings(allowed_origins=APP)))
    assert allowed >= {
        *("authorization", "content-type", "x-api-key", "x-request-id", "if-none-match"),
        *("traceparent", "tracestate", "baggage", "sentry-trace", "b3", "x-datadog-trace-id"),
        *("apollographql-client-name", "apollographql-client-version", "graphql-client-name"),
        *("x-apollo-operation-name", "x-apollo-operation-id", "apollo-require-preflight"),
    }
    assert allowed.isdisjoint({"cookie", "host", "x-forwarded-for", "x-tenant"})


async def test_more_can_be_allowed() -> None:
    more = await allowed_by(Gateway(Settings(allowed_origins=APP, allowed_headers="X-Tenant, x-b")))
    assert more - await allowed_by(Gateway(Settings(allowed_origins=APP))) == {"x-tenant", "x-b"}
    for wrong in ("X Tenant", "X-Tenant:", "x\r\ny", "é"):
        with pytest.raises(SettingsError, match="GATEWAY_ALLOWED_HEADERS has"):
            read({"GATEWAY_ALLOWED_HEADERS": wrong})


@pytest.mark.parametrize(
    ("named", "sent"),
    [
        ("capacitor://localhost", "capacitor://localhost"),
        ("ionic://localhost", "ionic://localhost"),
        ("tauri://localhost", "tauri://localhost"),
        ("http://tauri.localhost", "http://tauri.localhost"),
        ("chrome-extension://Abcdefghijklmnop", "chrome-extension://abcdefghijklmnop"),
        ("moz-extension://01234567-89ab", "moz-extension://01234567-89ab"),
        ("app://.", "app://."),
        ("https://app.example.org:443", "https://app.example.org"),
        ("HTTPS://App.Example.org.", "https://app.example.org"),
        ("http://[0:0:0:0:0:0:0:1]:3000", "http://[::1]:3000"),
        ("http://app.example.org:80", "http://app.example.org"),
        ("https://app.example.org", "https://app.example.org."),
    ],
)
async def test_an_origin_is_allowed_however_it_is_written(named: str, sent: str) -> None:
    gateway = Gateway(Settings(allowed_origins=f"https://other.example, {named}"))
    assert await allowed_by(gateway, sent)
    answer = await gateway.client.post("/graphql", json=QUERY, headers={"origin": sent})
    assert answer.headers["access-control-allow-origin"] == sent
    assert answer.json()["data"]["pipeline"]


@pytest.mark.parametrize(
    "sent",
    [
        *("capacitor://localhost:80", "ionic://localhost", "http://capacitor.localhost", "null"),
        *("https://app.example.org:8443", "http://app.example.org", "https://app.example.org/"),
        "https://app.example.org.evil.example",
    ],
)
async def test_no_other_is(sent: str) -> None:
    gateway = Gateway(Settings(allowed_origins=f"capacitor://localhost, {APP}"))
    answer = await gateway.client.post("/graphql", json=QUERY, headers={"origin": sent})
    assert (answer.status_code, gateway.store.plans) == (403, [])
    assert "access-control-allow-origin" not in answer.headers
    assert answer.headers["cache-control"] == "no-store"
    assert "Origin" in answer.headers["vary"]


@pytest.mark.parametrize("named", ["null", "*", "https://*.example.org", "file://", f"{APP}/", "a"])
def test_what_is_no_origin_cannot_be_allowed(named: str) -> None:
    with pytest.raises(SettingsError, match="an origin is like"):
        read({"GATEWAY_ALLOWED_ORIGINS": named})


async def test_pages_may_read_every_header_that_says_something_to_them() -> None:
    gateway = Gateway(Settings(allowed_origins=APP, introspection=False, budget_per_s=1))
    page = {"origin": APP}
    get, head = gateway.client.get, {"origin": APP, "accept": "application/json"}
    seen: set[str] = set()
    for response in (
        await gateway.client.post("/graphql", json=QUERY, headers=page),
        await gateway.client.post("/graphql", json=QUERY, headers=page),
        await get("/graphql", params=QUERY, headers=head),
        await get("/graphql", params=QUERY, headers={**head, "x-api-key": "pak_1_x"}),
        await get("/graphql", params={"query": "mutation { a }"}, headers=head),
        await gateway.client.put("/graphql", json=QUERY, headers=page),
        await gateway.client.post("/graphql", content=b"{", headers=page),
    ):
        exposed = set(response.headers["access-control-expose-headers"].lower().split(", "))
        seen |= {name for name in response.headers if not name.startswith("access-control-")}
        assert "access-control-allow-credentials" not in response.headers
    assert seen - SAFE_TO_READ - FOR_BROWSERS <= exposed
    assert seen >= {"age", "etag", "www-authenticate", "allow", "x-request-id"}
    assert exposed >= {"retry-after", "ratelimit"}


async def test_what_depends_on_who_asks_says_so_to_caches() -> None:
    gateway = Gateway(Settings(allowed_origins=APP))
    for path, params in (("/graphql", QUERY), ("/schema.graphql", None)):
        varies = (await gateway.client.get(path, params=params)).headers["vary"].lower()
        assert {"authorization", "x-api-key", "origin"} <= set(varies.split(", "))
