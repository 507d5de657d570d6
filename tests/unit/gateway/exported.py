"""A client that exports from the gateway in this process, without a socket: it sees what is sent, and whether it breaks off."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from starlette.types import Message, Scope

from gateway.access.caller import SCOPE_KEY
from gateway.analytics.model import Entry
from gateway.process import one_at_a_time
from tests.store_cases import transfer
from tests.unit.gateway.fakes import NOW_MS
from tests.unit.gateway.served import Gateway, settle

HOUR_MS = 3_600_000
UUID = "00000000-0000-0000-0001-{:012d}"
WINDOW = {"start": "2025-11-01T00:00:00Z", "end": "2025-12-01T00:00:00Z"}
"""Has now and all of `paid` in it."""
Rows = list[dict[str, Any]]


def paid(count: int, sender: str = "bob") -> list[Entry]:
    """So many transfers to alice, the first of them an hour ago, the others before, of 1, 2, 3…"""
    return [
        entry
        for number in range(count)
        for entry in transfer(
            "alice",
            sender,
            UUID.format(number),
            Decimal(number + 1),
            NOW_MS - (number + 1) * HOUR_MS,
        )
    ]


@dataclass
class Export:
    """One export, and what came of it so far."""

    gateway: Gateway
    asked: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    address: str = "10.0.0.9"
    status: int = 0
    told: dict[str, str] = field(default_factory=dict)
    """Headers of the response."""
    body: bytes = b""
    ended: bool = False
    broken: bool = False
    takes: asyncio.Event = field(default_factory=asyncio.Event)
    """While it is not set, what is sent is not taken."""
    pieces: asyncio.Semaphore | None = None
    """Where it is given, so many more of what is sent are taken."""

    def __post_init__(self) -> None:
        self.takes.set()
        self._hung_up = asyncio.Event()
        self._asked = False
        self.serving = asyncio.ensure_future(
            self.gateway.app(self._scope(), self._receive, self._send)
        )

    def _scope(self) -> Scope:
        headers = {"host": "localhost"} | self.headers
        means = one_at_a_time.Means(lambda: None, self._break)
        scope: dict[str, Any] = {
            "type": "http",
            "method": "GET",
            "path": "/export/transactions",
            "query_string": urlencode({"account": "alice", **WINDOW, **self.asked}).encode(),
            "client": (self.address, 5),
            "extensions": {one_at_a_time.NAME: means},
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        }
        if self.gateway.caller is not None:
            scope[SCOPE_KEY] = self.gateway.caller
        self.scope: Scope = scope
        return scope

    def _break(self) -> None:
        self.broken = True

    async def _receive(self) -> Message:
        if not self._asked:
            self._asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
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

    async def settled(self) -> Export:
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

    async def after(self, seconds: float = 1.0) -> Export:
        """Some time later, a second at a time."""
        for _ in range(round(seconds)):
            self.gateway.passes(1.0)
            await self.settled()
        return self

    @property
    def whole(self) -> bool:
        """Whether its end came."""
        return self.ended and not self.broken

    @property
    def rows(self) -> Rows:
        """Of NDJSON."""
        return rows_of(self.body)

    @property
    def amounts(self) -> list[int]:
        """Of the rows of `paid`, which no two have alike."""
        return [int(row["amount"]) for row in self.rows]

    @property
    def code(self) -> str:
        """The one error's code, told as the API tells errors."""
        assert self.told["content-type"] == "application/json; charset=utf-8"
        assert self.told["cache-control"] == "no-store"
        (error,) = json.loads(self.body)["errors"]
        assert error["message"]
        assert error["extensions"]["requestId"] == self.told["x-request-id"]
        return str(error["extensions"]["code"])


async def export(
    gateway: Gateway, headers: dict[str, str] | None = None, /, **asked: str
) -> Export:
    """An export that went as far as it can by itself."""
    made = Export(gateway, asked, headers or {})
    await made.settled()
    return made


def rows_of(body: bytes) -> Rows:
    """The rows of NDJSON; of a last line that is not whole, none."""
    return [json.loads(line) for line in body.split(b"\n")[:-1]]


def rows_of_csv(body: bytes) -> Rows:
    """The rows of CSV, with what NDJSON says by its own types."""
    text = io.StringIO(body.decode(), newline="")
    return [
        {**row, "reverses": row["reverses"] or None, "hasNext": row["hasNext"] == "true"}
        for row in csv.DictReader(text, strict=True)
    ]
