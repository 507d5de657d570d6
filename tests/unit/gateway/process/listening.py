"""The gateway's protocol on a socket of the loopback, and clients that send it any bytes; its clock is the test's."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, NamedTuple, cast

from starlette.types import ASGIApp
from uvicorn.server import ServerState

from gateway.__main__ import http_of
from gateway.process.connection import Connection
from gateway.process.connections import TURNS, Connections, Limits

PATIENCE_S = 60
"""For what must come; nothing waits for so long unless it fails."""

BODY = json.dumps({"query": "{ limits { maxFirst } }"}).encode()
LINE = b"POST /graphql HTTP/1.1\r\nhost: localhost\r\n"
HEAD = LINE + b"content-type: application/json\r\n"
CHUNKED = HEAD + b"transfer-encoding: chunked\r\n\r\n"
LIMITS = Limits(head_s=10, body_s=20, idle_s=75, send_s=30, half_closed_s=0.01)
"""`half_closed_s` is counted by the loop's own clock, which no test moves: so it is short."""


async def until(condition: Callable[[], bool]) -> None:
    """Wait for what the server does when it gets its turn."""
    for _ in range(PATIENCE_S * 1_000):
        if condition():
            return
        await asyncio.sleep(0.001)
    raise TimeoutError


def post(body: bytes = BODY, *lines: bytes) -> bytes:
    """A whole request."""
    own = b"".join(line + b"\r\n" for line in lines)
    return HEAD + own + b"content-length: %d\r\n\r\n" % len(body) + body


class Answer(NamedTuple):
    """One response as it came."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def code(self) -> str:
        """The one error's code, in the API's form."""
        (error,) = json.loads(self.body)["errors"]
        assert error["message"]
        assert error["extensions"]["requestId"] == self.headers["x-request-id"]
        return str(error["extensions"]["code"])


class Client:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self.writer = writer

    async def send(self, *segments: bytes) -> None:
        """Each in a segment of its own, as far as a socket can tell them apart; none after a refusal."""
        for segment in segments:
            try:
                self.writer.write(segment)
                await self.writer.drain()
            except ConnectionError:
                return
            await asyncio.sleep(0)

    async def answer(self) -> Answer:
        """The next response."""
        async with asyncio.timeout(PATIENCE_S):
            head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            status, *lines = head.strip().split("\r\n")
            headers = {name.lower(): value for name, _, value in (x.partition(": ") for x in lines)}
            body = await self._reader.readexactly(int(headers.get("content-length", 0)))
        return Answer(int(status.split()[1]), headers, body)

    async def end(self) -> bytes:
        """What comes until the server closes."""
        came = bytearray()
        try:
            async with asyncio.timeout(PATIENCE_S):
                while data := await self._reader.read(65_536):
                    came += data
        except ConnectionError:
            pass
        return bytes(came)

    async def silent(self) -> bool:
        """Whether the connection is open, and nothing came."""
        for _ in range(20):
            await asyncio.sleep(0.001)
        return not self._reader.at_eof() and not self._reader._buffer  # type: ignore[attr-defined]

    def cut(self) -> None:
        """Hang up so that the server notices."""
        self.writer.transport.abort()


class Listening:
    """A gateway that listens."""

    def __init__(self, app: ASGIApp, limits: Limits, leave_s: float = 0) -> None:
        self.ended: list[str] = []
        self.now_s = 100.0
        self.among = Connections(limits, self.ended.append)
        self.config = http_of(app, self.among, leave_s=leave_s)
        self.config.load()
        self.state = ServerState()
        self._clients: list[Client] = []
        self.port = 0

    def protocol(self) -> asyncio.Protocol:
        """Of the next connection."""
        made: Any = self.config.http_protocol_class
        return cast(
            "asyncio.Protocol",
            made(config=self.config, server_state=self.state, app_state={}),
        )

    async def connect(self, receive_bytes: int | None = None) -> Client:
        """A new connection; the client's system keeps about so much unread."""
        made = socket.socket()
        if receive_bytes is not None:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        made.setblocking(False)
        await asyncio.get_running_loop().sock_connect(made, ("127.0.0.1", self.port))
        client = Client(*await asyncio.open_connection(sock=made, limit=2**10))
        self._clients.append(client)
        return client

    async def until(self, open_connections: int) -> None:
        """Wait until there are so many."""
        await until(lambda: self.among.open == open_connections)

    def look(self, after_s: float = 0) -> None:
        """Look at all connections, when so much time has passed since the last look."""
        self.now_s += after_s
        for _ in range(TURNS + 1):
            self.among.look(self.connections, self.now_s)

    @property
    def connections(self) -> list[Connection]:
        """All there are."""
        return [each for each in self.state.connections if isinstance(each, Connection)]

    @property
    def held_bytes(self) -> int:
        """What was sent and is not in the system's hands."""
        return sum(each.transport.get_write_buffer_size() for each in self.connections)

    def close(self) -> None:
        """Hang up every client."""
        for client in self._clients:
            client.cut()


@asynccontextmanager
async def listening(
    app: ASGIApp, limits: Limits | None = None, leave_s: float = 0
) -> AsyncIterator[Listening]:
    """A gateway that listens on a port of the loopback."""
    made = Listening(app, limits or Limits(), leave_s)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(made.protocol, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        made.close()
        server.close()
        await made.until(0)
