"""A WebSocket client of the gateway in this process, without a socket: it sees each message as it is sent."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from starlette.types import Message, Scope

from tests.unit.gateway.served import Gateway, settle


@dataclass
class Socket:
    """One connection, and what came of it so far."""

    gateway: Gateway
    protocols: tuple[str, ...] = ("graphql-transport-ws",)
    headers: dict[str, str] = field(default_factory=dict)
    messages: list[dict[str, Any]] = field(default_factory=list)
    accepted: str | None = None
    closed: tuple[int, str] | None = None
    refused: tuple[int, dict[str, Any]] | None = None
    """The status and body of a handshake that is answered instead."""
    takes: asyncio.Event = field(default_factory=asyncio.Event)
    """While it is not set, what is sent is not taken."""

    def __post_init__(self) -> None:
        self.takes.set()
        self._to_server: asyncio.Queue[Message] = asyncio.Queue()
        self._to_server.put_nowait({"type": "websocket.connect"})
        self.serving = asyncio.ensure_future(
            self.gateway.app(self._scope(), self._to_server.get, self._send)
        )

    def _scope(self) -> Scope:
        scope: dict[str, Any] = {
            "type": "websocket",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "scheme": "ws",
            "path": "/graphql",
            "query_string": b"",
            "client": ("10.0.0.9", 5),
            "server": ("localhost", 80),
            "subprotocols": list(self.protocols),
            "extensions": {"gateway.taken": self.takes.wait},
            "headers": [
                (name.encode(), value.encode())
                for name, value in ({"host": "localhost"} | self.headers).items()
            ],
        }
        return self.gateway.of_caller(scope)

    async def _send(self, message: Message) -> None:
        await self.takes.wait()
        if message["type"] == "websocket.accept":
            self.accepted = message.get("subprotocol", "")
        elif message["type"] == "websocket.send":
            self.messages.append(json.loads(message["text"]))
        elif message["type"] == "websocket.http.response.start":
            self.refused = message["status"], {}
        elif message["type"] == "websocket.http.response.body":
            assert self.refused is not None
            self.refused = self.refused[0], json.loads(message["body"])
        else:
            self.closed = message["code"], message.get("reason", "")
            self._to_server.put_nowait({"type": "websocket.disconnect", "code": message["code"]})

    async def says(self, *said: dict[str, Any] | str) -> Socket:
        """The client says one thing after the other; then the gateway has its turn."""
        for each in said:
            text = each if isinstance(each, str) else json.dumps(each)
            self._to_server.put_nowait({"type": "websocket.receive", "text": text})
        await settle()
        return self

    async def says_bytes(self, said: bytes) -> None:
        """The client says what is no text."""
        self._to_server.put_nowait({"type": "websocket.receive", "bytes": said})
        await settle()

    async def subscribes(self, operation_id: str, query: str, **more: Any) -> Socket:
        """The client asks."""
        payload = {"query": query, **more}
        return await self.says({"id": operation_id, "type": "subscribe", "payload": payload})

    async def hangs_up(self) -> None:
        """The client goes."""
        self._to_server.put_nowait({"type": "websocket.disconnect", "code": 1001})
        await settle()
        await self.serving

    async def after(self, seconds: float) -> Socket:
        """Some time later, a second at a time."""
        for _ in range(round(seconds)):
            self.gateway.passes(1.0)
            await settle()
        return self

    def of(self, operation_id: str) -> Iterator[dict[str, Any]]:
        """What was said of one operation."""
        return (each for each in self.messages if each.get("id") == operation_id)

    def kinds(self, operation_id: str) -> list[str]:
        """The types of what was said of one operation."""
        return [each["type"] for each in self.of(operation_id)]


async def connected(gateway: Gateway, payload: dict[str, Any] | None = None, **more: Any) -> Socket:
    """A connection that has said who it is."""
    socket = Socket(gateway, **more)
    said: dict[str, Any] = {"type": "connection_init"}
    await socket.says(said if payload is None else {**said, "payload": payload})
    return socket
