"""One request of a client to the gateway in this process, without a socket: it sees what is sent, and whether it breaks off."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any, Self

from starlette.types import Message, Scope

from gateway.process import one_at_a_time
from tests.unit.gateway.served import Gateway, settle


@dataclass
class Client:
    """One request, and what came of it so far; `_asks` and `_content` say which."""

    gateway: Gateway
    headers: dict[str, str] = field(default_factory=dict, kw_only=True)
    address: str = field(default="10.0.0.9", kw_only=True)
    status: int = field(default=0, init=False)
    told: dict[str, str] = field(default_factory=dict, init=False)
    """Headers of the response."""
    body: bytes = field(default=b"", init=False)
    ended: bool = field(default=False, init=False)
    broken: bool = field(default=False, init=False)
    takes: asyncio.Event = field(default_factory=asyncio.Event, kw_only=True)
    """While it is not set, what is sent is not taken."""
    pieces: asyncio.Semaphore | None = field(default=None, kw_only=True)
    """Where it is given, so many more of what is sent are taken."""

    def __post_init__(self) -> None:
        self.takes.set()
        self._hung_up = asyncio.Event()
        self._asked = False
        self.scope: Scope = self.gateway.of_caller(self._scope())
        self.serving = asyncio.ensure_future(
            self.gateway.app(self.scope, self._receive, self._send)
        )

    def _asks(self) -> dict[str, Any]:
        """Method, path, query string and headers of the request."""
        raise NotImplementedError

    def _content(self) -> bytes:
        """The body of the request."""
        return b""

    def _scope(self) -> dict[str, Any]:
        asks = self._asks()
        headers = {"host": "localhost"} | asks["headers"] | self.headers
        return asks | {
            "type": "http",
            "client": (self.address, 5),
            "extensions": {one_at_a_time.NAME: one_at_a_time.Means(lambda: None, self._break)},
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        }

    def _break(self) -> None:
        self.broken = True

    async def _receive(self) -> Message:
        if not self._asked:
            self._asked = True
            return {"type": "http.request", "body": self._content(), "more_body": False}
        await self._hung_up.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        await self.takes.wait()
        if self.pieces is not None:
            await self.pieces.acquire()
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.told = {name.decode(): value.decode() for name, value in message["headers"]}
            return
        self.body += message["body"]
        self.ended = not message.get("more_body", False)

    async def settled(self) -> Self:
        """As far as it comes without anybody's doing."""
        before = -1
        while before < len(self.body) and not self.serving.done():
            before = len(self.body)
            await settle()
        return self

    async def hang_up(self) -> None:
        """The client goes."""
        self._hung_up.set()
        await settle()

    async def after(self, seconds: float = 1.0) -> Self:
        """Some time later, a second at a time."""
        for _ in range(round(seconds)):
            self.gateway.passes(1.0)
            await self.settled()
        return self
