"""WebSockets on a socket of the loopback: who may speak, and that what HTTP hands on still counts as a connection."""

from __future__ import annotations

import json
import logging

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from gateway.process.connections import Limits
from tests.unit.gateway.process.web_sockets import HANDSHAKE, asks, connected, speaking
from tests.unit.gateway.served import TOTALS, Gateway

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    """The client's library fails on uvloop where it is refused before it has said anything."""
    return "asyncio"


async def test_an_operation_over_a_real_socket_which_counts_as_a_connection(
    gateway: Gateway,
) -> None:
    async with (
        speaking(gateway.app, Limits(most=1)) as server,
        connected(server, compression="deflate") as client,
    ):
        assert client.protocol.extensions == [], "a small message could become a large one"
        assert server.among.open == 1
        await asks(client, TOTALS)
        answers = [json.loads(await client.recv()) for _ in range(2)]
        assert [each["type"] for each in answers] == ["next", "complete"]
        with pytest.raises(InvalidStatus, match="503"):
            async with connected(server):
                pass


async def test_other_paths_and_protocols_do_not_speak(gateway: Gateway) -> None:
    async with speaking(gateway.app) as server:
        with pytest.raises(InvalidStatus, match=r"40[34]"):
            async with connect(f"ws://127.0.0.1:{server.port}/docs"):
                pass
        async with connect(f"ws://127.0.0.1:{server.port}/graphql") as client:
            with pytest.raises(ConnectionClosed) as ended:
                await client.recv()
            assert ended.value.rcvd is not None
            assert ended.value.rcvd.code == 4406


@pytest.mark.parametrize(
    ("line", "version"),
    [
        (b"x-trace: " + b"a" * 9_000, "13"),
        (b"cookie: " + b"a" * 20_000, "13"),
        (b"x\xe9: a", None),
        (b"x[: a", None),
        (b"sec-websocket-version: 8", "13"),
        (b"sec-websocket-version: 13", "13"),
        (b"sec-websocket-key: zz", "13"),
    ],
)
async def test_a_handshake_that_cannot_be_read_is_answered_and_ended(
    gateway: Gateway, line: bytes, version: str | None
) -> None:
    async with speaking(gateway.app) as server:
        client = await server.connect()
        await client.send(b"\r\n".join([*HANDSHAKE, line, b"", b""]))
        answer = await client.answer()
        assert (answer.status, answer.code) == (400, "BAD_USER_INPUT")
        assert answer.headers.get("sec-websocket-version") == version
        assert await client.end() == b""


@pytest.mark.parametrize(
    ("path", "line", "status", "code"),
    [
        (b"/graphql", b"origin: https://elsewhere.example", 403, "FORBIDDEN"),
        (b"/docs", b"origin: null", 403, "FORBIDDEN"),
        (b"/graphql", b"host: rebound.example", 421, "FORBIDDEN"),
        (b"/export/transactions", b"x: y", 404, "BAD_USER_INPUT"),
        (b"/graphql/live", b"x: y", 404, "BAD_USER_INPUT"),
        (b"/", b"x: y", 404, "BAD_USER_INPUT"),
    ],
)
async def test_a_handshake_that_is_refused_is_told_why_as_any_request_and_is_no_error_of_ours(
    gateway: Gateway,
    caplog: pytest.LogCaptureFixture,
    path: bytes,
    line: bytes,
    status: int,
    code: str,
) -> None:
    host = [] if line.startswith(b"host") else [b"host: localhost"]
    sent = [b"GET " + path + b" HTTP/1.1", *host, *HANDSHAKE[2:], line, b"x-request-id: mine"]
    async with speaking(gateway.app) as server:
        client = await server.connect()
        await client.send(b"\r\n".join([*sent, b"", b""]))
        answer = await client.answer()
        told = answer.status, answer.code, answer.headers["x-request-id"]
        assert told == (status, code, "mine")
        assert await client.end() == b""
    assert [each for each in caplog.records if each.levelno >= logging.WARNING] == []
