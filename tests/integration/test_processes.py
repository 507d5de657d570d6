"""Workers behind one socket: replaced and ended under load, and nobody notices."""

from __future__ import annotations

import asyncio
import os
import signal
from collections import Counter

import httpx
import pytest

from tests.integration.gateway_process import GatewayProcess, running
from tests.integration.running_stack import wait_until
from tests.metric_samples import NO_LINT, linted, parsed

CLIENTS = 16
QUESTION = (
    "query Load($id: ID!) { account(id: $id) {"
    " totals(window: {last: {count: 1, unit: DAY}}) { transactionCount } } }"
)


async def load(url: str, stop: asyncio.Event) -> Counter[str]:
    """Ask on kept connections until told to stop; what came back, by kind."""
    seen: Counter[str] = Counter()
    limits = httpx.Limits(max_connections=CLIENTS, max_keepalive_connections=CLIENTS)

    async def ask(client: httpx.AsyncClient, number: int) -> None:
        while not stop.is_set():
            number += CLIENTS
            body = {"query": QUESTION, "variables": {"id": f"acct-{number % 400:06d}"}}
            try:
                answer = await client.post("/graphql", json=body)
                answered = answer.status_code == 200 and "errors" not in answer.json()
                seen["answered" if answered else f"refused {answer.text[:200]}"] += 1
            except httpx.HTTPError as error:
                seen[f"failed {error!r}"] += 1

    async with httpx.AsyncClient(
        base_url=url, timeout=20, limits=limits, trust_env=False
    ) as client:
        await asyncio.gather(*(ask(client, number) for number in range(CLIENTS)))
    return seen


async def wait_for_workers(gateway: GatewayProcess, gone: set[int], count: int) -> None:
    """Until `count` workers run, and none of those that were there before."""
    async with asyncio.timeout(60):
        while True:
            pids = set(gateway.workers())
            if len(pids) == count and not pids & gone:
                return
            await asyncio.sleep(0.05)


@pytest.mark.anyio
async def test_replacing_and_ending_workers_under_load_fails_no_request() -> None:
    with running(GATEWAY_WORKERS="2") as gateway:
        stop = asyncio.Event()
        loading = asyncio.ensure_future(load(gateway.url, stop))
        try:
            for _ in range(2):
                before = set(gateway.workers())
                gateway.signal(signal.SIGHUP)
                await wait_for_workers(gateway, before, 2)
            for _ in range(3):
                leaving = gateway.workers()[0]
                os.kill(leaving, signal.SIGTERM)
                await wait_for_workers(gateway, {leaving}, 2)
        finally:
            stop.set()
            seen = await loading
    assert set(seen) == {"answered"}, seen
    assert seen["answered"] > 500


def test_a_worker_that_is_killed_is_replaced() -> None:
    with running(GATEWAY_WORKERS="2") as gateway:
        killed = gateway.workers()[0]
        os.kill(killed, signal.SIGKILL)
        wait_until(lambda: len({*gateway.workers()} - {killed}) == 2, 30, "no new worker")
        assert httpx.get(f"{gateway.url}/readyz", trust_env=False).is_success


class Counted:
    """The operations that any worker tells of, which must never become fewer."""

    def __init__(self, gateway: GatewayProcess) -> None:
        self.url = gateway.url
        self.most = 0.0

    def ask(self, times: int) -> None:
        for _ in range(times):
            body = {"query": "{ __typename }"}
            httpx.post(f"{self.url}/graphql", json=body, trust_env=False).raise_for_status()

    def told(self) -> dict[str, float]:
        text = httpx.get(f"{self.url}/metrics", trust_env=False).text
        assert linted(text) == NO_LINT
        return parsed(text)

    def total(self) -> float:
        told = [value for name, value in self.told().items() if "operations_total{" in name]
        assert sum(told) >= self.most
        self.most = sum(told)
        return self.most

    def limit(self) -> float:
        return self.told()["gateway_store_queries_limit"]

    def wait_for(self, expected: int) -> None:
        wait_until(lambda: self.total() == expected, 10, f"the workers do not tell of {expected}")


def test_any_worker_tells_the_metrics_of_all_also_of_those_that_have_ended() -> None:
    limits = {f"GATEWAY_STORE_QUERIES_{which}": "8" for which in ("LEAST", "MOST", "START")}
    with running(GATEWAY_WORKERS="2", **limits) as gateway:
        counted = Counted(gateway)
        counted.ask(20)
        counted.wait_for(20)
        for round_ in range(1, 4):  # a name comes back in the third
            before = {*gateway.workers()}
            counted.ask(7)
            gateway.signal(signal.SIGHUP)

            def replaced(before: set[int] = before) -> bool:
                counted.total()
                now = {*gateway.workers()}
                return len(now) == 2 and not now & before

            wait_until(replaced, 60, "the workers are not replaced")
            counted.wait_for(20 + 7 * round_)
            wait_until(lambda: counted.limit() == 16, 10, "the limits are not of those that live")
        os.kill(gateway.workers()[0], signal.SIGKILL)
        counted.wait_for(41)
        counted.ask(4)
        counted.wait_for(45)


def test_a_process_that_ends_says_so_before_it_stops_accepting() -> None:
    with running(GATEWAY_DRAIN_ACCEPT_MS="5000") as gateway:
        gateway.signal(signal.SIGTERM)

        def readiness() -> int:
            return httpx.get(f"{gateway.url}/readyz", trust_env=False).status_code

        wait_until(lambda: readiness() == 503, 5, "it still says that it is ready")
        answer = httpx.post(
            f"{gateway.url}/graphql", json={"query": "{ __typename }"}, trust_env=False
        )
        assert answer.json()["data"] == {"__typename": "Query"}
        assert answer.headers["connection"] == "close"
        gateway.process.wait(30)
