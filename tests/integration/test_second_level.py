"""The second level on a real Redis: shared by gateways, and never the reason why an answer fails."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import redis

from tests.integration.gateway_process import free_port, running
from tests.integration.running_stack import wait_until

QUESTION = """query Shared($id: ID!) { account(id: $id) {
  totals(window: {between: {start: "2025-01-01T00:00:00Z", end: "2025-02-01T00:00:00Z"}}) {
    asOf transactionCount } } }"""


@dataclass(frozen=True)
class Redis:
    """A running Redis server."""

    process: subprocess.Popen[bytes]
    port: int

    @property
    def url(self) -> str:
        return f"redis://:secret@127.0.0.1:{self.port}/1"

    @property
    def client(self) -> Any:
        return redis.Redis(port=self.port, db=1, password="secret")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Redis]:
    port = free_port()
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--dir", str(tmp_path)]
    command += ["--save", "", "--appendonly", "no", "--requirepass", "secret"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        started = Redis(process, port)
        wait_until(lambda: _listens(port), 20, "Redis does not listen")
        yield started
        process.kill()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def ask(url: str, account: str = "acct-000001") -> httpx.Response:
    body = {"query": QUESTION, "variables": {"id": account}}
    answer = httpx.post(f"{url}/graphql", json=body, timeout=10, trust_env=False)
    assert "errors" not in answer.json(), answer.text
    return answer


def counted(url: str, name: str) -> float:
    lines = httpx.get(f"{url}/metrics", trust_env=False).text.splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(name))


LONG: dict[str, Any] = {"GATEWAY_CACHE_CLOSED_MS": "60000", "GATEWAY_CACHE_REDIS_TIMEOUT_MS": "500"}


def test_what_one_gateway_has_answered_another_has_ready(server: Redis) -> None:
    with (
        running(GATEWAY_CACHE_REDIS_URL=server.url, **LONG) as one,
        running(GATEWAY_CACHE_REDIS_URL=server.url, **LONG) as other,
    ):
        first = ask(one.url)
        wait_until(lambda: server.client.dbsize() == 1, 5, "nothing was written to Redis")
        time_to_live_ms = server.client.pttl(server.client.keys("*")[0])
        again = ask(other.url)
        assert again.content == first.content
        assert again.headers["age"] in ("0", "1", "2")
        assert counted(other.url, 'gateway_cache_lookups_total{result="shared"}') == 1
        assert counted(other.url, "gateway_store_query_duration_seconds_count") == 0
    assert 0 < time_to_live_ms <= 61_000


def test_gateways_with_other_limits_do_not_share(server: Redis) -> None:
    with (
        running(GATEWAY_CACHE_REDIS_URL=server.url, **LONG) as one,
        running(GATEWAY_CACHE_REDIS_URL=server.url, GATEWAY_MAX_FIRST="7", **LONG) as other,
    ):
        ask(one.url)
        wait_until(lambda: server.client.dbsize() == 1, 5, "nothing was written to Redis")
        ask(other.url)
        wait_until(lambda: server.client.dbsize() == 2, 5, "they share a name")


@pytest.mark.parametrize("fault", ["frozen", "gone", "damaged"])
def test_answers_come_in_time_whatever_redis_does(server: Redis, fault: str) -> None:
    with running(
        GATEWAY_CACHE_REDIS_URL=server.url,
        GATEWAY_CACHE_REDIS_TIMEOUT_MS="30",
        GATEWAY_CACHE_CLOSED_MS="1",
    ) as gateway:
        ask(gateway.url)
        wait_until(lambda: server.client.dbsize() == 1, 5, "nothing was written to Redis")
        if fault == "frozen":
            os.kill(server.process.pid, signal.SIGSTOP)
        elif fault == "gone":
            server.process.kill()
            server.process.wait()
        else:
            for name in server.client.keys("*"):
                server.client.set(name, b'{"version":1}\n{"data":{"account":null}}')
        began_s = time.monotonic()
        for number in range(20):
            account = "acct-000001" if number % 2 else f"acct-{number:06d}"
            assert ask(gateway.url, account).json()["data"]["account"]["totals"]
        assert time.monotonic() - began_s < 8
        result = "malformed" if fault == "damaged" else "failed"
        assert counted(gateway.url, f'gateway_cache_second_level_total{{result="{result}"}}') >= 1
