"""The load generator's process: reads an order as JSON on stdin, sends, and writes its report.

Latency is counted from the time that a request was meant to be sent, not from when a connection
was free for it: a server that stands still cannot hide the requests that waited meanwhile.
"""

from __future__ import annotations

import asyncio
import gc
import json
import random
import sys
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import uvloop

from tests.load.gateway.connection import Connection
from tests.load.gateway.orders import Order, read, requests
from tests.load.gateway.schedule import Script, intended_times, phase_at
from tests.load.gateway.tally import Tally, kind_of

TICK_S = 0.001
CONNECT_AT_ONCE = 200
REFUSED_PAUSE_S = 0.05
"""Closed loop: so long a connection waits that was refused, or refusals would be most of the load."""


class Sender:
    """Sends the requests of an order over its connections, each at its time.

    `script`: when to send what, ascending, in place of what the order would draw.
    """

    def __init__(self, order: Order, script: Script | None = None) -> None:
        self._order = order
        self._requests = iter(script.requests) if script else requests(order)
        self._free: deque[Connection] = deque()
        self._open = 0
        self._sent = 0
        self._answers = 0
        self._started_s = 0.0
        self._ends_s = sum(phase.seconds for phase in order.phases)
        self._is_closed_loop = all(phase.rate == 0 for phase in order.phases)
        self._times = script.times_s if script else _times(order)
        self._backlog: deque[float] = deque()
        self._all_sent = False
        self._ended = asyncio.Event()
        self.tallies = [Tally() for _ in order.phases]

    async def run(self) -> None:
        """Send everything; returns once all is answered or the grace is over."""
        for first in range(0, self._order.connections, CONNECT_AT_ONCE):
            some = range(first, min(self._order.connections, first + CONNECT_AT_ONCE))
            await asyncio.gather(*(self._connect() for _ in some))
        self._started_s = time.perf_counter()
        if self._is_closed_loop:
            while self._free:
                self._next(self._free.popleft())
            await asyncio.sleep(self._ends_s)
        else:
            await self._send_in_time()
        self._all_sent = True
        self._note_end()
        with suppress(TimeoutError):
            async with asyncio.timeout(self._order.grace_s):
                await self._ended.wait()
        unanswered = self._sent + len(self._backlog) - self._answers
        if unanswered:
            self.tallies[-1].failed["no answer"] += unanswered

    def answered(self, connection: Connection, status: bytes, body: bytes) -> None:
        """Count an answer, and use its connection again."""
        now_s = time.perf_counter()
        self._answers += 1
        due_s = connection.due_s - self._started_s
        tally = self.tallies[phase_at(self._order.phases, due_s)]
        tally.bytes += len(body)
        kind = kind_of(status, body)
        tally.add(
            kind,
            (now_s - connection.due_s) * 1000,
            (connection.sent_s - connection.due_s) * 1000,
            int(due_s / self._order.slice_s),
        )
        if self._is_closed_loop and kind == "rejected":
            asyncio.get_running_loop().call_later(REFUSED_PAUSE_S, self._next, connection)
        elif self._is_closed_loop:
            self._next(connection)
        elif self._backlog:
            self._send(connection, self._backlog.popleft())
        else:
            self._free.append(connection)
        if self._all_sent:
            self._note_end()

    def lost(self, connection: Connection, *, waiting: bool) -> None:
        """Forget a connection; a request without an answer has failed."""
        self._open -= 1
        if waiting:
            self._answers += 1
            self.tallies[-1].failed["connection lost"] += 1
            if self._all_sent:
                self._note_end()
        elif connection in self._free:
            self._free.remove(connection)

    def _note_end(self) -> None:
        if self._answers >= self._sent + len(self._backlog):
            self._ended.set()

    async def _connect(self) -> None:
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(
            lambda: Connection(self), "127.0.0.1", self._order.port
        )
        self._open += 1
        self._free.append(connection)

    async def _send_in_time(self) -> None:
        number, times = 0, self._times
        while number < len(times):
            now_s = time.perf_counter() - self._started_s
            while number < len(times) and times[number] <= now_s:
                self._send_or_queue(times[number] + self._started_s)
                number += 1
            await self._replace_lost()
            await asyncio.sleep(TICK_S)
        await asyncio.sleep(max(0.0, self._started_s + self._ends_s - time.perf_counter()))

    async def _replace_lost(self) -> None:
        if self._open < self._order.connections:
            try:
                await self._connect()
            except OSError:
                self.tallies[-1].failed["connection refused"] += 1

    def _send_or_queue(self, due_s: float) -> None:
        if self._free:
            self._send(self._free.popleft(), due_s)
        else:
            self._backlog.append(due_s)

    def _send(self, connection: Connection, due_s: float) -> None:
        self._sent += 1
        connection.send(next(self._requests), due_s)

    def _next(self, connection: Connection) -> None:
        """Closed loop: this connection's next request, unless the time is over or it is lost."""
        now_s = time.perf_counter()
        if now_s - self._started_s < self._ends_s and connection.is_open:
            self._send(connection, now_s)


def _times(order: Order) -> Sequence[float]:
    if all(phase.rate == 0 for phase in order.phases):
        return ()
    if order.burst:
        return [0.0] * order.burst
    return intended_times(random.Random(order.seed), order.phases)


def report(order: Order, sender: Sender, cpu_s: float) -> dict[str, Any]:
    """All figures of a run."""
    seconds = sum(phase.seconds for phase in order.phases)
    return {
        "client_cores": round(cpu_s / seconds, 3),
        "phases": [
            {"rate": phase.rate, "seconds": phase.seconds}
            | tally.report(phase.seconds, order.slice_s)
            for phase, tally in zip(order.phases, sender.tallies, strict=True)
        ],
    }


def main() -> int:
    """Run one order."""
    return run(read(json.load(sys.stdin)))


def run(order: Order, script: Script | None = None) -> int:
    """Send everything, and write the report to stdout."""
    sender = Sender(order, script)
    gc.collect()
    gc.freeze()
    began_s = time.process_time()
    uvloop.run(sender.run())
    json.dump(report(order, sender, time.process_time() - began_s), sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
