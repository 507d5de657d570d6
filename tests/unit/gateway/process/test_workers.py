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

from gateway.process.workers import Supervisor, _is_told

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


@pytest.mark.parametrize("cancelled_first", [True, False])
async def test_who_waits_for_a_worker_and_is_told_to_end_as_it_answers_ends(
    cancelled_first: bool,
) -> None:
    """Both in one turn of the loop, in either order: an end that is forgotten is never told again."""
    loop = asyncio.get_running_loop()
    reading, writing = os.pipe()
    beside = os.dup(reading)

    def cancel() -> None:
        loop.remove_reader(beside)
        waiting.cancel()

    if cancelled_first:
        loop.add_reader(beside, cancel)
    waiting = asyncio.ensure_future(_is_told(reading))
    await asyncio.sleep(0)
    if not cancelled_first:
        loop.add_reader(beside, cancel)
    os.write(writing, b"1")
    with pytest.raises(asyncio.CancelledError):
        await waiting
    os.close(writing)
    os.close(beside)
