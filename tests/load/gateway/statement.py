"""CPU of one store statement in the gateway: our session under pinotdb beside pinotdb's own on httpx."""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, cast

import httpx
import uvloop
from pinotdb.db import AsyncCursor

from gateway.store.pinot.broker_session import AiohttpSession
from gateway.store.pinot.client import PinotClient
from local_stack.settings import CHECKOUT
from tests.load.child_servers import end, free_port, tied
from tests.unit.gateway.fakes import broker_answer

SQL = "SELECT account_id, direction, COUNT(*), SUMPRECISION(amount) FROM account_entries LIMIT %d"
ROWS = (1, 11, 1_000)
"""Of the answer: an account's totals, a ranking, a series."""

Ask = Callable[[str], Awaitable[int]]
"""Runs a statement; how many rows came."""


def measure(arguments: list[str]) -> dict[str, Any]:
    """A broker of ready answers in a process of its own; statements one after the other and at once."""
    options = parser().parse_args(arguments)
    with _broker() as port:
        rows = uvloop.run(_rows(port, options.statements, options.at_once))
    _show(rows)
    return {"case": "statement", "rows": rows}


def parser() -> argparse.ArgumentParser:
    """Its options."""
    parser = argparse.ArgumentParser(
        prog="./dev bench gateway statement", description=measure.__doc__
    )
    parser.add_argument("--statements", type=int, default=3_000, help="of each row (%(default)s)")
    parser.add_argument("--at-once", type=int, nargs="+", default=[1, 16])
    return parser


async def _rows(port: int, statements: int, at_once: list[int]) -> list[dict[str, Any]]:
    ours = PinotClient(f"http://127.0.0.1:{port}", AiohttpSession(64))
    plain = httpx.AsyncClient(trust_env=False, limits=httpx.Limits(max_connections=64))

    async def by_us(sql: str) -> int:
        return len((await ours.run(sql, 5.0)).rows)

    async def by_pinotdb(sql: str) -> int:
        cursor = AsyncCursor("127.0.0.1", port, session=plain)
        result = await cursor.execute_native(sql, allow_partial=True, timeout=5.0)
        return len(result.rows)

    ways: dict[str, Ask] = {"ours": by_us, "pinotdb on httpx": by_pinotdb}
    try:
        return [
            {
                "rows": rows,
                "at_once": tasks,
                "cpu_us": {
                    name: await _cpu_us(
                        ask, rows, tasks, max(tasks, statements // (1 + rows // 20))
                    )
                    for name, ask in ways.items()
                },
            }
            for rows in ROWS
            for tasks in at_once
        ]
    finally:
        await ours.close()
        await plain.aclose()


async def _cpu_us(ask: Ask, rows: int, tasks: int, statements: int) -> float:
    async def some(count: int) -> None:
        for _ in range(count):
            assert await ask(SQL % rows) == rows

    await some(20)
    before_s = time.process_time()
    await asyncio.gather(*(some(statements // tasks) for _ in range(tasks)))
    return round((time.process_time() - before_s) / (statements // tasks * tasks) * 1e6, 1)


@contextmanager
def _broker() -> Iterator[int]:
    port = free_port()
    command = [sys.executable, "-m", __name__, str(port)]
    process = subprocess.Popen(
        command,
        cwd=CHECKOUT,
        stdout=subprocess.PIPE,
        start_new_session=True,
        preexec_fn=tied,  # noqa: PLW1509 - no thread runs yet
    )
    try:
        assert process.stdout is not None
        if process.stdout.readline() != b"ready\n":
            raise RuntimeError("the broker of ready answers did not start")
        yield port
    finally:
        end(process)


class _ReadyAnswers(asyncio.Protocol):
    """Answers each statement with as many rows as its LIMIT, made beforehand."""

    def __init__(self) -> None:
        self._transport: asyncio.WriteTransport
        self._read = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.WriteTransport", transport)

    def data_received(self, data: bytes) -> None:
        self._read += data
        head, found, body = self._read.partition(b"\r\n\r\n")
        if not found:
            return
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
        if len(body) >= length:
            self._read = body[length:]
            sql = json.loads(body[:length])["sql"]
            self._transport.write(_ANSWERS[int(sql.rpartition(" ")[2])])


def _answer(rows: int) -> bytes:
    made = [
        [f"account-{number:06d}", "RECEIVED", number, f"{number}.12345678"]
        for number in range(rows)
    ]
    body = broker_answer(made, ["STRING", "STRING", "LONG", "STRING"])
    content = json.dumps(body).encode()
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(content), content)


_ANSWERS = {rows: _answer(rows) for rows in ROWS}


async def _serve(port: int) -> None:
    loop = asyncio.get_running_loop()
    told = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, told.set)
    async with await loop.create_server(_ReadyAnswers, "127.0.0.1", port):
        print("ready", flush=True)
        await told.wait()


def _show(rows: list[dict[str, Any]]) -> None:
    print("| rows | statements at once | ours | pinotdb on httpx |")
    print("|---|---|---|---|")
    for row in rows:
        ours, theirs = row["cpu_us"].values()
        print(
            f"| {row['rows']:,} | {row['at_once']} | {ours:,.0f} µs | {theirs:,.0f} µs "
            f"({theirs / ours:.1f} ×) |"
        )


if __name__ == "__main__":
    uvloop.run(_serve(int(sys.argv[1])))
