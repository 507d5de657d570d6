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


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


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


def test_any_worker_tells_the_metrics_of_all() -> None:
    with running(GATEWAY_WORKERS="2") as gateway:

        def told() -> str:
            return httpx.get(f"{gateway.url}/metrics", trust_env=False).text

        for _ in range(20):
            httpx.post(
                f"{gateway.url}/graphql", json={"query": "{ __typename }"}, trust_env=False
            ).raise_for_status()

        def total() -> int:
            lines = [line for line in told().splitlines() if "operations_total{" in line]
            return sum(int(line.rpartition(" ")[2]) for line in lines)

        wait_until(lambda: total() == 20, 10, "the workers' counters do not add up")
        assert told().count("# TYPE gateway_graphql_operations_total counter") == 1


def test_a_process_that_ends_says_so_before_it_stops_accepting() -> None:
    with running(GATEWAY_DRAIN_ACCEPT_MS="1500") as gateway:
        gateway.signal(signal.SIGTERM)

        def readiness() -> int:
            return httpx.get(f"{gateway.url}/readyz", trust_env=False).status_code

        wait_until(lambda: readiness() == 503, 5, "it still says that it is ready")
        answer = httpx.post(
            f"{gateway.url}/graphql", json={"query": "{ __typename }"}, trust_env=False
        )
        assert answer.json()["data"] == {"__typename": "Query"}
        assert answer.headers["connection"] == "close"
        gateway.process.wait(20)
