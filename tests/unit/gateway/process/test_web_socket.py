"""WebSockets on a socket of the loopback: what is handed on by HTTP counts, is bounded, and ends."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Subprotocol

from gateway.process import web_socket
from gateway.process.connections import Limits
from tests.unit.gateway.process.listening import Listening, listening, until
from tests.unit.gateway.served import TOTALS, Gateway
from tests.unit.gateway.subscribed import TOTALS as SUBSCRIPTION

pytestmark = pytest.mark.anyio
SPOKEN = [Subprotocol("graphql-transport-ws")]


@asynccontextmanager
async def connected(to: Listening, **more: Any) -> AsyncIterator[ClientConnection]:
    """A connection that is acknowledged."""
    url = f"ws://127.0.0.1:{to.port}/graphql"
    async with connect(url, subprotocols=SPOKEN, **more) as client:
        await client.send('{"type":"connection_init"}')
        assert json.loads(await client.recv()) == {"type": "connection_ack"}
        yield client


async def asks(client: ClientConnection, query: str) -> None:
    payload = {"query": query}
    await client.send(json.dumps({"id": "a", "type": "subscribe", "payload": payload}))


def sockets(of: Listening) -> list[WebSocketsSansIOProtocol]:
    """The server's side of each."""
    return [each for each in of.state.connections if isinstance(each, WebSocketsSansIOProtocol)]


async def test_an_operation_over_a_real_socket_which_counts_as_a_connection(
    gateway: Gateway,
) -> None:
    async with listening(gateway.app, Limits(most=1)) as server:
        async with connected(server, compression="deflate") as client:
            assert client.protocol.extensions == [], "a small message could become a large one"
            assert server.among.open == 1
            await asks(client, TOTALS)
            answers = [json.loads(await client.recv()) for _ in range(2)]
            assert [each["type"] for each in answers] == ["next", "complete"]
            with pytest.raises(InvalidStatus, match="503"):
                async with connected(server):
                    pass
        # It is looked at with the others.
        await until(lambda: not sockets(server))
        server.look()
        server.look()
        assert server.among.open == 0


async def test_a_message_beyond_the_limit_ends_the_connection(gateway: Gateway) -> None:
    async with listening(gateway.app) as server:
        async with connected(server) as client:
            await asks(client, "#" * 200_000 + TOTALS)
            with pytest.raises(ConnectionClosed) as ended:
                await client.recv()
            assert ended.value.rcvd is not None
            assert ended.value.rcvd.code == 1009
        server.look()
        server.look()


async def test_other_paths_and_protocols_do_not_speak(gateway: Gateway) -> None:
    async with listening(gateway.app) as server:
        with pytest.raises(InvalidStatus, match=r"40[34]"):
            async with connect(f"ws://127.0.0.1:{server.port}/docs"):
                pass
        async with connect(f"ws://127.0.0.1:{server.port}/graphql") as client:
            with pytest.raises(ConnectionClosed) as ended:
                await client.recv()
            assert ended.value.rcvd is not None
            assert ended.value.rcvd.code == 4406
        await until(lambda: not sockets(server))
        server.look()
        server.look()


async def test_who_takes_nothing_is_not_sent_a_queue_and_is_cut(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web_socket, "LAST_WORDS_S", 0.05)
    wide = " ".join(f"f{number}: id" for number in range(50))
    query = f'{{ account(id: "{"a" * 60}") {{ {wide} }} }}'
    async with listening(gateway.app) as server:
        narrow = socket.socket()
        narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        narrow.connect(("127.0.0.1", server.port))
        narrow.setblocking(False)
        async with connected(server, sock=narrow, ping_interval=None) as client:
            (mine,) = sockets(server)
            cast("Any", client.transport).pause_reading()
            for number in range(190):
                payload = {"query": query}
                said = {"id": str(number), "type": "subscribe", "payload": payload}
                await client.send(json.dumps(said))
                await asyncio.sleep(0)
            await until(lambda: not mine.writable.is_set())
            held = mine.transport.get_write_buffer_size()
            assert held < 400_000, "one answer, and what was said at the same time"
            mine.send_keepalive_ping()
            mine.keepalive_timeout()
            await until(lambda: not sockets(server))
            client.transport.abort()
        server.look()
        server.look()


async def test_a_server_that_ends_says_so(gateway: Gateway) -> None:
    async with listening(gateway.app) as server:
        async with connected(server) as client:
            await asks(client, SUBSCRIPTION)
            assert json.loads(await client.recv())["type"] == "next"
            (mine,) = sockets(server)
            mine.shutdown()
            with pytest.raises(ConnectionClosed) as ended:
                await client.recv()
            assert ended.value.rcvd is not None
            assert ended.value.rcvd.code == 1012
        await until(lambda: not sockets(server))
        server.look()
        server.look()
