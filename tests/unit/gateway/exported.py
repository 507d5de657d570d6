"""A client that exports from the gateway in this process, without a socket: it sees what is sent, and whether it breaks off."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from gateway.analytics.model import Entry
from tests.store_cases import transfer
from tests.unit.gateway.client import Client
from tests.unit.gateway.fakes import NOW_MS
from tests.unit.gateway.served import Gateway

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
class Export(Client):
    """One export, and what came of it so far."""

    asked: dict[str, str] = field(default_factory=dict)

    def _asks(self) -> dict[str, Any]:
        asked = urlencode({"account": "alice", **WINDOW, **self.asked})
        where = {"path": "/export/transactions", "query_string": asked.encode()}
        return {"method": "GET", **where, "headers": {}}

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
    made = Export(gateway, asked, headers=headers or {})
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
