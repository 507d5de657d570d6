"""What subscribers cost: CPU and memory of one gateway with so many of one question, beside as many who poll.

A client process holds the connections and reads what comes; the gateway has the stub store, whose answers
change each second for the active ones and never for the idle ones.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psutil

from tests.load.child_servers import tied

QUESTION = """%s { account(id: "acct-000001") {
  totals(window: {last: {count: 30, unit: DAY}}) { asOf transactionCount transactionAmount }
  topCounterparties(window: {last: {count: 30, unit: DAY}}, first: 10) {
    asOf rows { rank accountId transactionCount transactionAmount } } } }"""
CONNECT_AT_ONCE = 50
SETTLE_S = 3.0


def measure(arguments: list[str]) -> dict[str, Any]:
    """Subscribers of one question, idle and active, and as many clients that ask it once a second."""
    options = parser().parse_args(arguments)
    cases = {
        "idle": (options.idle, False, True),
        "active": (options.active, True, True),
        "polling": (options.polling, True, False),
    }
    return {
        name: asyncio.run(_case(count, options.seconds, changes=changes, subscribes=subscribes))
        for name, (count, changes, subscribes) in cases.items()
        if count
    }


def parser() -> argparse.ArgumentParser:
    """Its options."""
    parser = argparse.ArgumentParser(prog="./dev bench live", description=measure.__doc__)
    parser.add_argument("--idle", type=int, default=5_000, help="nothing changes (%(default)s)")
    parser.add_argument(
        "--active", type=int, default=1_000, help="changes each second (%(default)s)"
    )
    parser.add_argument("--polling", type=int, default=1_000, help="ask each second (%(default)s)")
    parser.add_argument("--seconds", type=float, default=20, help="of each case (%(default)s)")
    return parser


async def _case(count: int, seconds: float, *, changes: bool, subscribes: bool) -> dict[str, Any]:
    _allow_files(count)
    with _serving(count, changes=changes) as (process, port):
        await _until_it_listens(port)
        empty_bytes = process.memory_info().rss
        clients = _Clients(port, count)
        tasks = [
            asyncio.create_task(clients.subscribe() if subscribes else clients.poll(at / count))
            for at in range(count)
        ]
        await clients.all_begun.wait()
        await asyncio.sleep(SETTLE_S)
        before, came, began_s = process.cpu_times(), clients.events, time.monotonic()
        await asyncio.sleep(seconds)
        took_s = time.monotonic() - began_s
        after, events = process.cpu_times(), clients.events - came
        cpu_s = after.user + after.system - before.user - before.system
        grown = process.memory_info().rss - empty_bytes
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return {
        "clients": count,
        "events_per_client_and_s": round(events / count / took_s, 3),
        "cpu_cores": round(cpu_s / took_s, 3),
        "cpu_us_per_client_and_s": round(cpu_s / took_s / count * 1e6, 1),
        "kib_per_client": round(grown / count / 1024, 1),
        "failed": clients.failed,
    }


class _Clients:
    """All clients, in one process; `events`: what they were told, or answered."""

    def __init__(self, port: int, count: int) -> None:
        self._port = port
        self._count = count
        self.all_begun = asyncio.Event()
        self._turn = asyncio.Semaphore(CONNECT_AT_ONCE)
        self._begun = self.events = self.failed = 0

    async def subscribe(self) -> None:
        """One that listens."""
        async with self._turn:
            reader, writer = await self._asked("subscription", "text/event-stream", "close")
            await self._event(reader)
            self._begins()
        try:
            while True:
                await self._event(reader)
                self.events += 1
        finally:
            writer.close()

    async def poll(self, phase: float) -> None:
        """One that asks each second, on one connection."""
        async with self._turn:
            opened = await asyncio.open_connection("127.0.0.1", self._port)
        self._begins()
        reader, writer = opened
        await asyncio.sleep(phase)
        try:
            while True:
                next_s = time.monotonic() + 1
                writer.write(_request("query", "application/json", "keep-alive"))
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
                await reader.readexactly(length)
                self.events += 1
                await asyncio.sleep(max(0.0, next_s - time.monotonic()))
        finally:
            writer.close()

    def _begins(self) -> None:
        self._begun += 1
        if self._begun == self._count:
            self.all_begun.set()

    async def _asked(self, *how: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port, limit=2**14)
        writer.write(_request(*how))
        head = await reader.readuntil(b"\r\n\r\n")
        if b" 200 " not in head.splitlines()[0]:
            self.failed += 1
            raise ConnectionError(head.decode("latin-1"))
        return reader, writer

    async def _event(self, reader: asyncio.StreamReader) -> None:
        while not (await reader.readuntil(b"\n")).startswith(b"data: "):
            pass


def _request(kind: str, accept: str, connection: str) -> bytes:
    body = json.dumps({"query": QUESTION % kind}).encode()
    lines = [
        "POST /graphql HTTP/1.1",
        "host: localhost",
        "content-type: application/json",
        f"accept: {accept}",
        f"connection: {connection}",
        f"content-length: {len(body)}",
    ]
    return "\r\n".join([*lines, "", ""]).encode() + body


def _allow_files(count: int) -> None:
    """Here, and in the gateway that is started."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < 2 * count + 1_000:
        wanted = max(soft, min(hard, 2 * count + 1_000))
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


async def _until_it_listens(port: int) -> None:
    for _ in range(1_200):
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.1)
        else:
            writer.close()
            return
    raise TimeoutError("the gateway does not start")


@contextmanager
def _serving(count: int, *, changes: bool) -> Iterator[tuple[psutil.Process, int]]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    given = {
        "GATEWAY_LIVE_STREAMS": str(count),
        "GATEWAY_LIVE_STREAMS_PER_CALLER": str(count),
        "GATEWAY_LOG_EVERY": "1000000",
        "GATEWAY_LOG_LEVEL": "error",
    }
    started = subprocess.Popen(
        command(port, changes=changes),
        env={**os.environ, **given},
        stdout=subprocess.DEVNULL,
        preexec_fn=tied,  # noqa: PLW1509 - no thread runs yet
    )
    try:
        yield psutil.Process(started.pid), port
    finally:
        started.terminate()
        started.wait()


def command(port: int, *, changes: bool) -> Sequence[str]:
    """The command that serves."""
    own = ["--changes"] if changes else []
    return [sys.executable, "-P", "-m", "tests.load.live_server", *own, str(port)]
