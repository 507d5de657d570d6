"""A subscriber of the gateway in this process, without a socket: it sees each event as it is sent."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from tests.unit.gateway.client import Client
from tests.unit.gateway.served import Gateway, settle

TOTALS = """subscription { account(id: "alice") { totals(window: {last: {count: 1, unit: DAY}}) {
  asOf transactionCount window { start end } } } }"""


@dataclass
class Subscriber(Client):
    """One request for events, and what came of it so far; `more` stands in its body beside the query."""

    query: str = TOTALS
    more: dict[str, Any] = field(default_factory=dict)
    method: str = "POST"

    def _asks(self) -> dict[str, Any]:
        headers = {"content-type": "application/json", "accept": "text/event-stream"}
        where = {"path": "/graphql", "query_string": b""}
        return {"method": self.method, **where, "headers": headers}

    def _content(self) -> bytes:
        return json.dumps({"query": self.query, **self.more}).encode()

    @property
    def text(self) -> str:
        """All that was sent behind the head."""
        return self.body.decode()

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
