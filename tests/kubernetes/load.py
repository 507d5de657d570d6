"""Asks through the Service for some seconds, on kept and on fresh connections; runs in a pod of the gateway's image."""

import asyncio
import json
import os
import time
from dataclasses import asdict, dataclass, field

import httpx

URL = os.environ["GATEWAY"] + "/graphql"
HEADERS = {"Authorization": "Bearer " + os.environ["CREDENTIAL"].strip()}
UNTIL_S = time.monotonic() + float(os.environ["SECONDS"])
QUESTION = """{ account(id: "acct-000001") { topCounterparties(window: {last: {count: 30, unit: DAY}}, first: 3) {
  rows { accountId transactionCount transactionAmount } } } }"""


@dataclass
class Said:
    """What came of it."""

    answered: int = 0
    slowest_s: float = 0.0
    failures: list[str] = field(default_factory=list)


async def ask(client: httpx.AsyncClient, said: Said) -> None:
    began_s = time.monotonic()
    try:
        answer = await client.post(URL, json={"query": QUESTION}, headers=HEADERS)
        rows = answer.json()["data"]["account"]["topCounterparties"]["rows"]
    except (httpx.HTTPError, ValueError, TypeError, LookupError) as error:
        said.failures.append(f"{type(error).__name__}: {error}")
    else:
        said.answered += len(rows) == 3
        said.failures += [] if len(rows) == 3 else [f"{len(rows)} rows"]
    said.slowest_s = max(said.slowest_s, time.monotonic() - began_s)


async def on_one_connection(said: Said) -> None:
    async with httpx.AsyncClient(timeout=20) as client:
        while time.monotonic() < UNTIL_S:
            await ask(client, said)
            await asyncio.sleep(0.05)


async def on_fresh_connections(said: Said) -> None:
    while time.monotonic() < UNTIL_S:
        async with httpx.AsyncClient(timeout=20) as client:
            await ask(client, said)
        await asyncio.sleep(0.1)


async def main() -> None:
    print("asking", flush=True)
    said = Said()
    await asyncio.gather(
        on_one_connection(said), on_one_connection(said), on_fresh_connections(said)
    )
    print(json.dumps(asdict(said)), flush=True)


asyncio.run(main())
