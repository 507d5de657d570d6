"""Workers are replaced and ended without one being forgotten: with real, small processes."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from gateway.process.workers import Supervisor

pytestmark = pytest.mark.anyio
COUNT, LIMIT_S = 2, 60

WORKER = """
import os, signal, sys, time
from pathlib import Path

folder, ready_fd, waits = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "waits"

def leave(*_):
    (folder / f"left {os.getpid()}").touch()
    sys.exit()

signal.signal(signal.SIGTERM, leave)
(folder / f"started {os.getpid()}").touch()
if not waits:
    os.write(ready_fd, b"1")
while True:
    time.sleep(60)
"""


@dataclass
class World:
    """A supervisor of workers that write down when they start and when they leave in order."""

    folder: Path
    waits: bool = False
    """Whether those that are started now do not become ready."""

    def command(self, ready_fd: int, _: str) -> Sequence[str]:
        says = "waits" if self.waits else "is ready"
        return [sys.executable, "-c", WORKER, str(self.folder), str(ready_fd), says]

    def pids(self, what: str) -> set[int]:
        return {int(each.name.split()[1]) for each in self.folder.glob(f"{what} *")}

    async def started(self, count: int) -> None:
        give_up_at = time.monotonic() + LIMIT_S
        while len(self.pids("started")) < count:
            assert time.monotonic() < give_up_at
            await asyncio.sleep(0.01)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    for pid in made.pids("started") - made.pids("left"):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


async def test_told_to_end_while_it_replaces_a_worker_it_has_the_successor_leave_too(
    world: World, tmp_path: Path
) -> None:
    with socket.socket() as listening:
        supervisor = Supervisor(COUNT, listening.fileno(), str(tmp_path), world.command)
        running = asyncio.create_task(supervisor.run())
        await world.started(COUNT)
        world.waits = True
        supervisor.replace()
        await world.started(COUNT + 1)
        supervisor.end()
        async with asyncio.timeout(LIMIT_S):
            assert await running == 0
    assert world.pids("left") == world.pids("started")


async def test_a_worker_that_is_killed_has_a_successor(world: World, tmp_path: Path) -> None:
    with socket.socket() as listening:
        supervisor = Supervisor(COUNT, listening.fileno(), str(tmp_path), world.command)
        running = asyncio.create_task(supervisor.run())
        await world.started(COUNT)
        killed = min(world.pids("started"))
        os.kill(killed, signal.SIGKILL)
        await world.started(COUNT + 1)
        supervisor.end()
        async with asyncio.timeout(LIMIT_S):
            assert await running == 0
    assert world.pids("left") == world.pids("started") - {killed}
