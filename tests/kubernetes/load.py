"""Asks through the Service for some seconds and at least a hundred times, on kept and on fresh connections.

Runs in a pod of the gateway's image.
"""

import asyncio
import json
import os
import re
import time
from collections import Counter
from dataclasses import dataclass, field

import httpx

URL = os.environ["GATEWAY"] + "/graphql"
HEADERS = {"Authorization": "Bearer " + os.environ["CREDENTIAL"].strip()}
UNTIL_S = time.monotonic() + float(os.environ["SECONDS"])
LEAST = 100
CODE = re.compile(r'"code": ?"(\w+)"')
QUESTION = """{ account(id: "acct-000001") { topCounterparties(window: {last: {count: 30, unit: DAY}}, first: 3) {
  rows { accountId transactionCount transactionAmount } } } }"""


@dataclass
class Said:
    """What came of it."""

    answered: int = 0
    slowest_s: float = 0.0
    failures: Counter[str] = field(default_factory=Counter)
    """What was not answered, by what was said instead."""

    @property
    def whole(self) -> bool:
        """Whether it is time to end: a slow machine asks for longer, and not less."""
        return time.monotonic() >= UNTIL_S and self.answered + self.failures.total() >= LEAST


async def ask(client: httpx.AsyncClient, said: Said) -> None:
    began_s = time.monotonic()
    try:
        answer = await client.post(URL, json={"query": QUESTION}, headers=HEADERS)
        rows = answer.json()["data"]["account"]["topCounterparties"]["rows"]
    except httpx.HTTPError as error:
        said.failures[f"{type(error).__name__}: {error}"] += 1
    except (ValueError, TypeError, LookupError):
        said.failures[f"{answer.status_code}: {' '.join(CODE.findall(answer.text))}"] += 1
    else:
        said.answered += len(rows) == 3
        if len(rows) != 3:
            said.failures[f"{len(rows)} rows"] += 1
    said.slowest_s = max(said.slowest_s, time.monotonic() - began_s)


async def on_one_connection(said: Said) -> None:
    async with httpx.AsyncClient(timeout=20) as client:
        while not said.whole:
            await ask(client, said)
            await asyncio.sleep(0.05)


async def on_fresh_connections(said: Said) -> None:
    while not said.whole:
        async with httpx.AsyncClient(timeout=20) as client:
            await ask(client, said)
        await asyncio.sleep(0.1)


async def main() -> None:
    print("asking", flush=True)
    said = Said()
    await asyncio.gather(
        on_one_connection(said), on_one_connection(said), on_fresh_connections(said)
    )
    print(json.dumps(said.__dict__), flush=True)


asyncio.run(main())
