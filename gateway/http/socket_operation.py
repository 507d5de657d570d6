"""One operation of a WebSocket, asked as the request that it would be over HTTP, and its answers as messages."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import orjson
from starlette.types import ASGIApp, Message, Scope

from gateway.http import socket_messages as messages
from gateway.http.event_stream import offer_wire
from gateway.http.negotiation import EVENTS, GRAPHQL
from gateway.http.response import Header
from gateway.http.socket_messages import Closing
from gateway.live.audience import End
from gateway.live.telling import Event
from gateway.process.web_socket import Taken
from graphql_schema.error_codes import ErrorCode

Say = Callable[[str], Awaitable[None]]

ACCEPT = f"{GRAPHQL}, {EVENTS};q=0.9".encode()
_OF_HANDSHAKE = (b"accept", b"connection", b"content-", b"sec-websocket-", b"transfer-", b"upgrade")
_OF_SOCKET = frozenset({"extensions", "subprotocols"})
_UNAUTHENTICATED = ErrorCode.UNAUTHENTICATED.name
_OWN = ((b"accept", ACCEPT), (b"content-type", b"application/json"))


def headers_of(handshake: Sequence[Header], credentials: Sequence[Header]) -> list[Header]:
    """The headers of each request of a connection; credentials that were brought later come first."""
    named = {name for name, _ in credentials}
    kept = [
        each for each in handshake if not each[0].startswith(_OF_HANDSHAKE) and each[0] not in named
    ]
    return [*kept, *credentials, *_OWN]


@dataclass(slots=True)
class SocketOperation:
    """An operation while it lasts; `say` sends a message, `leave` ends the connection after some seconds."""

    id: str
    body: bytes
    say: Say
    all_taken: Taken
    beat_all: Callable[[], Awaitable[None]]
    leave: Callable[[Closing, float], None]
    over: asyncio.Event = field(default_factory=asyncio.Event)
    """The client no longer waits for it."""
    _read: bool = False
    _answer: bytes = b""

    async def run(self, app: ASGIApp, socket: Scope, headers: list[Header]) -> None:
        """Ask, and tell all that is answered."""
        request = {
            **{name: value for name, value in socket.items() if name not in _OF_SOCKET},
            "type": "http",
            "method": "POST",
            "scheme": "https" if socket["scheme"] == "wss" else "http",
            "query_string": b"",
            "headers": [*headers, (b"content-length", b"%d" % len(self.body))],
        }
        offer_wire(request, self)
        await app(request, self._receive, self._send)

    async def begin(self, request_id: str) -> None:
        """A subscription's first snapshot is there: nothing is said before it."""

    async def taken(self) -> None:
        """Wait until the client has taken what was said."""
        await self.all_taken()

    async def tell(self, told: Event) -> None:
        """Say a snapshot."""
        await self._next(messages.with_event_id(told.body, told.id))

    async def beat(self) -> None:
        """Say that somebody is there, once for all operations of the connection."""
        await self.beat_all()

    async def end(self, end: End, wait_s: float) -> None:
        """A subscription is over; where the process leaves, it goes on elsewhere."""
        if end is End.LEAVING:
            self.leave(messages.COME_BACK, wait_s)
            return
        await self._say(messages.complete(self.id))
        if end is End.CREDENTIAL:
            self.leave(messages.UNKNOWN, 0)

    async def _receive(self) -> Message:
        if not self._read:
            self._read = True
            return {"type": "http.request", "body": self.body, "more_body": False}
        await self.over.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        """Take an answer that comes as a response, whose status its errors say again by their codes."""
        if message["type"] != "http.response.body":
            return
        self._answer += message.get("body", b"")
        if message.get("more_body", False):
            return
        answer = self._answer
        if answer.startswith(b'{"data":') or "data" in (told := orjson.loads(answer)):
            await self._next(answer)
            await self._say(messages.complete(self.id))
        else:
            await self._say(messages.failure(self.id, told["errors"]))
            if _UNAUTHENTICATED in (each["extensions"]["code"] for each in told["errors"]):
                self.leave(messages.UNKNOWN, 0)

    async def _next(self, answer: bytes) -> None:
        await self._say(messages.following(self.id, answer))

    async def _say(self, text: str) -> None:
        if not self.over.is_set():
            await self.say(text)
