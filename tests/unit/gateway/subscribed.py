"""A subscriber of the gateway in this process, without a socket: it sees each event as it is sent."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

from starlette.types import Message, Scope

from gateway.access.caller import SCOPE_KEY
from tests.unit.gateway.served import Gateway, settle

TOTALS = """subscription { account(id: "alice") { totals(window: {last: {count: 1, unit: DAY}}) {
  asOf transactionCount window { start end } } } }"""


@dataclass
class Subscriber:
    """One request for events, and what came of it so far."""

    gateway: Gateway
    query: str = TOTALS
    body: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    method: str = "POST"
    status: int = 0
    told: dict[bytes, bytes] = field(default_factory=dict)
    """Headers of the response."""
    text: str = ""
    ended: bool = False
    takes: asyncio.Event = field(default_factory=asyncio.Event)
    """While it is not set, what is sent is not taken."""

    def __post_init__(self) -> None:
        self.takes.set()
        self._hung_up = asyncio.Event()
        self._asked = False
        self.serving = asyncio.ensure_future(
            self.gateway.app(self._scope(), self._receive, self._send)
        )

    def _scope(self) -> Scope:
        headers = {"host": "localhost", "content-type": "application/json"}
        headers |= {"accept": "text/event-stream"} | self.headers
        scope: dict[str, Any] = {
            "type": "http",
            "method": self.method,
            "path": "/graphql",
            "query_string": b"",
            "client": ("10.0.0.9", 5),
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        }
        if self.gateway.caller is not None:
            scope[SCOPE_KEY] = self.gateway.caller
        self.scope: Scope = scope
        return scope

    async def _receive(self) -> Message:
        if not self._asked:
            self._asked = True
            content = json.dumps({"query": self.query, **self.body}).encode()
            return {"type": "http.request", "body": content, "more_body": False}
        await self._hung_up.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        await self.takes.wait()
        if message["type"] == "http.response.start":
            self.status, self.told = message["status"], dict(message["headers"])
            return
        self.text += message["body"].decode()
        self.ended = not message.get("more_body", False)

    async def hang_up(self) -> None:
        """The client goes."""
        self._hung_up.set()
        await settle()

    async def after(self, seconds: float = 1.0) -> Subscriber:
        """Some time later, a second at a time."""
        for _ in range(round(seconds)):
            self.gateway.passes(1.0)
            await settle()
        return self

    @property
    def blocks(self) -> list[str]:
        """What stands between empty lines."""
        return self.text.split("\n\n")[:-1]

    @property
    def events(self) -> list[dict[str, Any]]:
        """What `next` events said, with their ids as `id`."""
        found = []
        for block in self.blocks:
            lines = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line)
            if lines.get("event") == "next":
                found.append({**json.loads(lines["data"]), "id": lines.get("id")})
        return found

    @property
    def counts(self) -> list[int]:
        """What the events without errors say of alice's transactions."""
        return [
            each["data"]["account"]["totals"]["transactionCount"]
            for each in self.events
            if "errors" not in each
        ]

    @property
    def completed(self) -> bool:
        """Whether the last words were that it is all."""
        return self.ended and self.blocks[-1] == "event: complete\ndata:"

    @property
    def codes(self) -> list[str]:
        """Of the last event's errors, or of the refusal."""
        last = self.events[-1] if self.events else json.loads(self.text)
        return [each["extensions"]["code"] for each in last.get("errors", ())]


async def subscribe(gateway: Gateway, query: str = TOTALS, **more: Any) -> Subscriber:
    """A subscriber that has its first event, or its refusal."""
    subscriber = Subscriber(gateway, query, **more)
    await settle()
    return subscriber
