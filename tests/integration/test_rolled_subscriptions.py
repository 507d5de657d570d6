"""Subscribers of workers that are killed, replaced and ended while payments arrive: none misses what was paid."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from tests.integration.gateway_process import GatewayProcess, running
from tests.integration.paid_gateway import FILE, MODULE, Payments
from tests.integration.test_processes import wait_for_workers

EACH_KIND = 25
ACCOUNTS = ("alice", "bob", "carol")
SETTINGS = {
    "GATEWAY_WORKERS": "2",
    "GATEWAY_LIVE_RECONNECT_MS": "1000",
    # However late a busy machine has a client ask on its new connection.
    "GATEWAY_DRAIN_MS": "20000",
}
ASKED = """{ account(id: "%s") {
  totals(window: {last: {count: 7, unit: DAY}}) { transactionCount transactionAmount }
  topCounterparties(window: {last: {count: 7, unit: DAY}}, first: 3) { rows { accountId } } } }"""
LEAVING, CUT = "leaving", "cut"
PATIENCE_S = 30

pytestmark = pytest.mark.anyio


@dataclass
class Subscriber:
    """One that comes back as often as its stream ends, with the id of what it was told last."""

    url: str
    account: str
    told: list[Any] = field(default_factory=list)
    ends: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    last_id: str | None = None
    sequence: int = 0

    @property
    def asked(self) -> dict[str, Any]:
        live = {} if self.last_id is None else {"live": {"lastEventId": self.last_id}}
        return {"query": f"subscription {ASKED % self.account}", "extensions": live}

    def takes(self, payload: dict[str, Any], event_id: str) -> None:
        """A snapshot, which must be the next one, and another one than that before."""
        sequence = payload["extensions"]["sequence"]
        if "errors" in payload or sequence != self.sequence + 1:
            self.faults.append(f"{payload} after {self.sequence}")
        if self.told and payload["data"] == self.told[-1]:
            self.faults.append(f"told twice: {payload}")
        self.told.append(payload["data"])
        self.sequence, self.last_id = sequence, event_id

    async def over_events(self) -> str:
        """One stream of events; how it ended."""
        last = ""
        head = {"accept": "text/event-stream"}
        try:
            async with (
                httpx.AsyncClient(trust_env=False, timeout=PATIENCE_S) as client,
                client.stream("POST", self.url, json=self.asked, headers=head) as response,
            ):
                assert response.status_code == 200, await response.aread()
                event_id = ""
                async for line in response.aiter_lines():
                    name, _, value = line.partition(": ")
                    last = name or last
                    if name == "id":
                        event_id = value
                    elif name == "data":
                        self.takes(json.loads(value), event_id)
        except httpx.TransportError:
            return CUT
        return LEAVING if last == "retry" else last

    async def over_socket(self) -> str:
        """One connection; how it ended."""
        url = self.url.replace("http", "ws", 1)
        try:
            async with connect(url, subprotocols=[Subprotocol("graphql-transport-ws")]) as socket:
                await socket.send('{"type":"connection_init"}')
                await socket.send(
                    json.dumps({"id": "a", "type": "subscribe", "payload": self.asked})
                )
                while True:
                    said = json.loads(await socket.recv())
                    if said["type"] == "next":
                        self.takes(said["payload"], said["payload"]["extensions"]["eventId"])
                    elif said["type"] not in ("connection_ack", "ping"):
                        self.faults.append(str(said))
        except ConnectionClosed as closed:
            if closed.rcvd is None:
                return CUT
            return LEAVING if closed.rcvd.code == 1012 else str(closed.rcvd)
        except (OSError, EOFError):
            return CUT

    async def follow(self, once: Callable[[], Awaitable[str]], stop: asyncio.Event) -> None:
        """Until told to stop, and the stream has ended then."""
        while not stop.is_set():
            self.ends.append(await once())


@asynccontextmanager
async def paying(payments: Payments) -> AsyncIterator[None]:
    """Somebody pays all the time."""

    async def pay() -> None:
        while True:
            receiver = ACCOUNTS[payments.made % len(ACCOUNTS)]
            payments.pay(receiver, f"payer-{payments.made**2 % 7}")
            await asyncio.sleep(0.05)

    task = asyncio.create_task(pay())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def true(condition: Callable[[], bool]) -> None:
    """Wait for it."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            if condition():
                return
            await asyncio.sleep(0.02)


async def roll(gateway: GatewayProcess) -> None:
    """Kill a worker, replace all, and tell one to end."""
    killed = gateway.workers()[0]
    os.kill(killed, signal.SIGKILL)
    await wait_for_workers(gateway, {killed}, 2)
    before = {*gateway.workers()}
    gateway.signal(signal.SIGHUP)
    await wait_for_workers(gateway, before, 2)
    ended = gateway.workers()[0]
    os.kill(ended, signal.SIGTERM)
    await wait_for_workers(gateway, {ended}, 2)


async def answers(url: str, payments: int) -> dict[str, Any]:
    """What the API says of each account, once it tells of so many payments: windows end at a quarter of a second."""
    async with httpx.AsyncClient(trust_env=False) as client, asyncio.timeout(PATIENCE_S):
        while True:
            said = {}
            for account in ACCOUNTS:
                answer = await client.post(url, json={"query": ASKED % account})
                said[account] = answer.json()["data"]
            totals = [each["account"]["totals"]["transactionCount"] for each in said.values()]
            if sum(totals) == payments:
                return said


async def test_no_subscriber_misses_what_was_paid_while_workers_are_rolled(tmp_path: Path) -> None:
    payments = Payments(tmp_path / "payments")
    for account in ACCOUNTS:
        payments.pay(account, "payer-0")
    with running(MODULE, **SETTINGS, **{FILE: str(payments.file)}) as gateway:
        url = f"{gateway.url}/graphql"
        made = [Subscriber(url, ACCOUNTS[at % len(ACCOUNTS)]) for at in range(2 * EACH_KIND)]
        stop = asyncio.Event()
        following = [
            asyncio.create_task(each.follow(once, stop))
            for at, each in enumerate(made)
            for once in [each.over_socket if at % 2 else each.over_events]
        ]
        await true(lambda: all(each.told for each in made))
        async with paying(payments):
            await roll(gateway)
        final = await answers(url, payments.made)
        await true(lambda: all(each.told[-1] == final[each.account] for each in made))
        stop.set()
        gateway.signal(signal.SIGTERM)
        async with asyncio.timeout(PATIENCE_S):
            await asyncio.gather(*following)
    assert [fault for each in made for fault in each.faults] == []
    ends = [Counter(each.ends) for each in made]
    assert set().union(*ends) == {LEAVING, CUT}
    assert max(each[CUT] for each in ends) == 1, "by the worker that was killed, and by no other"
    assert {each.ends[-1] for each in made} == {LEAVING}
