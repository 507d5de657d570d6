"""Which names in `Host` are answered to, and what a request to another name gets."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from gateway.app import create_app
from gateway.http.hosts import LOOPBACK, Hosts, allowed_names, name_of
from gateway.http.request import RequestIds
from gateway.process import logs
from gateway.settings import Settings, SettingsError, read
from tests.unit.gateway.fakes import NOW_MS, ReferenceStore

pytestmark = pytest.mark.anyio
PATHS = ("/graphql", "/healthz", "/readyz", "/metrics", "/schema.graphql", "/docs", "/nowhere")


async def get(path: str, *hosts: bytes, **changed: Any) -> httpx.Response:
    """The response to a request with these `Host` headers."""
    app = create_app(Settings(**changed), ReferenceStore(), epoch_ms=lambda: NOW_MS)
    logs.configure("error")
    transport = httpx.ASGITransport(app)
    sent = [(b"host", each) for each in hosts] + [(b"x-request-id", b"asked-1")]
    async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
        request = client.build_request("GET", path)
        request.headers = httpx.Headers(sent)
        return await client.send(request)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("host", [b"rebound.example", b"localhost.rebound.example", b"0.0.0.0.x"])
async def test_another_name_is_misdirected_whatever_is_asked(path: str, host: bytes) -> None:
    response = await get(path, host)
    assert response.status_code == 421
    assert response.headers["x-request-id"] == "asked-1"
    assert response.headers["x-content-type-options"] == "nosniff"
    (error,) = response.json()["errors"]
    assert error == {
        "message": "This gateway does not answer to the name in Host; GATEWAY_ALLOWED_HOSTS lists names.",
        "extensions": {"code": "FORBIDDEN", "requestId": "asked-1"},
    }


@pytest.mark.parametrize(
    "host",
    [
        *(b"localhost", b"LocalHost:8000", b"localhost.", b"127.0.0.1", b"127.0.0.1:65535"),
        *(b"[::1]", b"[::1]:8000", b"[0:0:0:0:0:0:0:1]"),
    ],
)
async def test_on_loopback_the_loopbacks_names_are_answered_with_any_port(host: bytes) -> None:
    assert (await get("/metrics", host)).status_code == 200


@pytest.mark.parametrize("hosts", [(), (b"localhost", b"localhost"), (b"",), (b"localhost:",)])
async def test_no_name_and_two_names_are_misdirected(hosts: tuple[bytes, ...]) -> None:
    assert (await get("/metrics", *hosts)).status_code == 421


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
@pytest.mark.parametrize("host", [b"10.1.2.3:8000", b"[fd00::1]:8000"])
async def test_a_probe_may_ask_by_an_address(path: str, host: bytes) -> None:
    assert (await get(path, host)).status_code == 200
    assert (await get("/metrics", host)).status_code == 421


async def test_names_that_are_given_are_answered_beside_the_loopbacks() -> None:
    given = {"allowed_hosts": "API.example.org, [fd00::1]"}
    for host in (
        b"api.example.org",
        b"api.example.org:443",
        b"[fd00::1]",
        b"localhost",
        b"[FD00:0::1]:1",
    ):
        assert (await get("/metrics", host, **given)).status_code == 200
    for host in (b"example.org", b"xapi.example.org", b"api.example.org.evil.example"):
        assert (await get("/metrics", host, **given)).status_code == 421


async def test_a_web_socket_to_another_name_is_refused_before_the_application_sees_it() -> None:
    sent: list[Any] = []
    seen: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope["type"])

    async def send(message: Any) -> None:
        sent.append(message)

    front = Hosts(app, LOOPBACK, RequestIds())
    for host in (b"rebound.example", b"localhost"):
        scope = {"type": "websocket", "path": "/", "headers": [(b"host", host)]}
        await front(scope, lambda: None, send)  # type: ignore[arg-type, return-value]
    assert [each["type"] for each in sent] == [
        "websocket.http.response.start",
        "websocket.http.response.body",
    ]
    assert sent[0]["status"] == 421
    assert seen == ["websocket"]
    await front({"type": "lifespan"}, lambda: None, send)  # type: ignore[arg-type, return-value]
    assert seen == ["websocket", "lifespan"]


def test_elsewhere_every_name_is_answered_until_some_are_given() -> None:
    assert allowed_names((), on_loopback=False) is None
    assert allowed_names((), on_loopback=True) == LOOPBACK
    given = allowed_names(("api.example.org.",), on_loopback=False)
    assert given == LOOPBACK | {b"api.example.org"}
    assert given == allowed_names(("api.example.org",), on_loopback=True)


@pytest.mark.parametrize(
    ("host", "name"),
    [
        (b"A.example:1", b"a.example"),
        (b"a.example.:1", b"a.example"),
        (b"[::1]:80", b"[::1]"),
        (b"[0:0:0:0:0:0:0:1]", b"[::1]"),
        (b"a:65536", None),
        (b"a" * 253, b"a" * 253),
        (b"a" * 254, None),
        (b"a b", None),
        (b"a/b", None),
        (b"user@a", None),
        (b"a:123456", None),
        (b"a:x", None),
        (b"::1", None),
        (b"\xff", None),
    ],
)
def test_a_host_is_a_name_and_perhaps_a_port(host: bytes, name: bytes | None) -> None:
    assert name_of(host) == name


@pytest.mark.parametrize("given", ["*", "https://a.example", "a.example:80", "a b", "-", "a/b"])
def test_a_setting_that_is_no_name_is_refused(given: str) -> None:
    with pytest.raises(SettingsError, match="GATEWAY_ALLOWED_HOSTS"):
        read({"GATEWAY_ALLOWED_HOSTS": given})


async def test_where_authentication_is_off_no_page_reads_a_rebound_gateway() -> None:
    """The attack as a browser does it: same origin by name, so `Origin` says nothing."""
    store = ReferenceStore()
    app = create_app(Settings(), store, epoch_ms=lambda: NOW_MS)
    name = "http://attacker.example:8000"
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=name) as client:
        stolen = {"query": '{ account(id: "a") { totals(window: {calendar: TODAY}) { exact } } }'}
        response = await client.post("/graphql", json=stolen, headers={"origin": name})
    assert response.status_code == 421
    assert "data" not in json.loads(response.content)
    assert store.plans == []
