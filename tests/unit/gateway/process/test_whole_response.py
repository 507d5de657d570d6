"""Ready answers through uvicorn's own protocol: in one write, and the same as in the usual way."""

from __future__ import annotations

import asyncio
import gc
import json
from dataclasses import dataclass, field
from functools import partial
from typing import Any, cast

import pytest
import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from gateway.app import create_app
from gateway.process.connection import Connection
from gateway.process.connections import Connections, Limits
from gateway.process.drain import Drain
from gateway.process.shared import Process
from gateway.settings import Settings
from tests.unit.gateway.fakes import NOW_MS, ReferenceStore

pytestmark = pytest.mark.anyio

BODY = json.dumps({"query": "{ limits { maxFirst } }"}).encode()
DIFFERENT = (b"x-request-id", b"date")


@dataclass
class Wire:
    """A transport that keeps what is written."""

    written: list[bytes] = field(default_factory=list)
    closed: bool = False

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return {"peername": ("127.0.0.1", 5), "sockname": ("127.0.0.1", 80)}.get(name, default)

    def is_closing(self) -> bool:
        return self.closed

    def write(self, data: bytes) -> None:
        self.written.append(bytes(data))

    def close(self) -> None:
        self.closed = True

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass


class Client:
    """A connection to the gateway, through one of the protocols."""

    def __init__(self, app: ASGIApp, kind: type[HttpToolsProtocol]) -> None:
        config = uvicorn.Config(
            app, http=kind, lifespan="off", log_config=None, server_header=False
        )
        config.load()
        state = ServerState()
        state.default_headers = [(b"date", b"today")]
        self.wire = Wire()
        speaks = partial(kind, among=Connections(Limits())) if kind is Connection else kind
        self.protocol = speaks(config, state, {})
        self.protocol.connection_made(cast("asyncio.Transport", self.wire))

    async def post(self, *headers: bytes, body: bytes = BODY) -> tuple[bytes, dict[bytes, bytes]]:
        """The status line and body, and the headers."""
        lines = [b"POST /graphql HTTP/1.1", b"host: localhost", b"content-type: application/json"]
        lines += [*headers, b"content-length: %d" % len(body)]
        self.wire.written.clear()
        self.protocol.data_received(b"\r\n".join(lines) + b"\r\n\r\n" + body)
        async with asyncio.timeout(30):
            await asyncio.gather(*self.protocol.tasks)
        head, _, content = b"".join(self.wire.written).partition(b"\r\n\r\n")
        status, *fields = head.split(b"\r\n")
        pairs = [line.partition(b": ")[::2] for line in fields]
        assert len(dict(pairs)) == len(pairs), "a header came twice"
        return status + content, dict(pairs)


def gateway(settings: Settings | None = None, drain: Drain | None = None) -> ASGIApp:
    return create_app(
        settings or Settings(),
        ReferenceStore(),
        epoch_ms=lambda: NOW_MS,
        monotonic=lambda: 1_000.0,
        process=Process(drain=drain or Drain()),
    )


def alike(headers: dict[bytes, bytes]) -> dict[bytes, bytes]:
    return {name: value for name, value in headers.items() if name not in DIFFERENT}


@pytest.mark.parametrize("accept", [b"application/json", b"application/graphql-response+json"])
async def test_a_ready_answer_is_one_write_of_what_the_usual_way_sends(accept: bytes) -> None:
    app = gateway()
    usual, whole = Client(app, HttpToolsProtocol), Client(app, Connection)
    await usual.post()
    expected, expected_headers = await usual.post(b"accept: " + accept)
    assert len(usual.wire.written) == 2
    got, headers = await whole.post(b"accept: " + accept)
    assert len(whole.wire.written) == 1
    assert got == expected
    assert alike(headers) == alike(expected_headers)
    assert headers[b"date"] == b"today"
    assert headers[b"x-request-id"] != expected_headers[b"x-request-id"]


@pytest.mark.parametrize("settings", [Settings(), Settings(allowed_origins="https://a.example")])
async def test_who_has_something_to_add_to_a_ready_answer_adds_it(settings: Settings) -> None:
    app = gateway(settings)
    client = Client(app, Connection)
    await client.post()
    origin = b"https://a.example" if settings.allowed_origins else b"http://localhost"
    _, headers = await client.post(b"origin: " + origin)
    assert len(client.wire.written) == 2
    assert headers.get(b"access-control-allow-origin") == (
        origin if settings.allowed_origins else None
    )
    _, headers = await client.post()
    assert (b"Origin" in headers[b"vary"]) == bool(settings.allowed_origins)


async def test_a_gateway_that_leaves_closes_the_connection_after_a_ready_answer() -> None:
    drain = Drain()
    client = Client(gateway(drain=drain), Connection)
    await client.post()
    drain.begun = True
    _, headers = await client.post()
    assert headers[b"connection"] == b"close"
    assert client.wire.closed


async def test_a_client_that_wants_its_connection_closed_gets_that() -> None:
    client = Client(gateway(), Connection)
    await client.post()
    _, headers = await client.post(b"connection: close")
    assert headers[b"connection"] == b"close"
    assert client.wire.closed


async def test_while_the_client_does_not_read_a_ready_answer_waits() -> None:
    client = Client(gateway(), Connection)
    await client.post()
    client.protocol.pause_writing()
    asking = asyncio.ensure_future(client.post())
    for _ in range(30):
        await asyncio.sleep(0)
    assert (asking.done(), client.wire.written) == (False, [])
    client.protocol.resume_writing()
    status, _ = await asking
    assert status.startswith(b"HTTP/1.1 200 OK")


@pytest.mark.parametrize(
    "query",
    [
        "{ limits { maxFirst } }",
        "{ limits { maxFirst maxCost",
        "{ nonsense }",
        "query ($n: [ID!]!, $w: WindowInput!) { accounts(ids: $n) { netFlow(window: $w) { exact } } }",
        "{ " + "a: __typename b: __typename c: __typename d: __typename " * 6 + "}",
        "{ x " * 45 + "}" * 45,
    ],
    ids=["ready", "no GraphQL", "unknown field", "variables", "too many root fields", "too deep"],
)
async def test_a_request_that_is_over_is_gone_without_the_garbage_collector(query: str) -> None:
    """Else the collector would be at it all the time, and stop every request while it is."""
    client = Client(gateway(), Connection)

    async def ask(number: int) -> None:
        refused = "" if query.startswith("{ limits { maxFirst }") else f" # {number}"
        window = {"between": {"start": "x", "end": "y"}} if number % 2 else {"calendar": "NEVER"}
        variables = {"n": [number + 0.5, True, None], "w": window}
        body = {"query": query + refused, "variables": variables}
        await client.post(body=json.dumps(body).encode())

    for number in range(2):
        await ask(number)
    gc.collect()
    gc.disable()
    try:
        for number in range(2, 12):
            await ask(number)
        assert gc.collect() == 0
    finally:
        gc.enable()
