"""A gateway that speaks WebSocket on a socket of the loopback, and its clients."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from starlette.types import ASGIApp
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from gateway.process.connections import Limits
from gateway.process.web_socket import BoundedWebSocket
from tests.unit.gateway.process.listening import Listening, listening, until

SPOKEN = [Subprotocol("graphql-transport-ws")]
HANDSHAKE = [
    b"GET /graphql HTTP/1.1",
    b"host: localhost",
    b"connection: upgrade",
    b"upgrade: websocket",
    b"sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==",
    b"sec-websocket-version: 13",
]


@asynccontextmanager
async def speaking(
    app: ASGIApp, limits: Limits | None = None, leave_s: float = 0
) -> AsyncIterator[Listening]:
    """A gateway that listens, until the last WebSocket has ended; then they are looked at as connections are."""
    async with listening(app, limits, leave_s) as server:
        try:
            yield server
        finally:
            await until(lambda: not sockets(server))
            server.look()
            server.look()


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


def sockets(of: Listening) -> list[BoundedWebSocket]:
    """The server's side of each."""
    return [each for each in of.state.connections if isinstance(each, BoundedWebSocket)]


@asynccontextmanager
async def deaf(to: Listening, *spoken: str) -> AsyncIterator[socket.socket]:
    """A client's own socket behind the handshake; it sends what it likes and takes nothing."""
    with socket.socket() as own:
        own.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        own.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(own, ("127.0.0.1", to.port))
        lines = [*HANDSHAKE, *(b"sec-websocket-protocol: " + each.encode() for each in spoken)]
        await loop.sock_sendall(own, b"\r\n".join([*lines, b"", b""]))
        assert (await loop.sock_recv(own, 12)) == b"HTTP/1.1 101"
        yield own
