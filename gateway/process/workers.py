"""Several gateways behind one socket: kept alive, and replaced one by one without failing a request.

The supervisor opens the socket and never closes it while it lives, so a connection that one worker
no longer takes is taken by another. SIGHUP replaces all workers, each only when its successor
answers; a worker that ends is replaced; SIGTERM lets all of them finish.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass
from tempfile import TemporaryDirectory
from typing import Any

from gateway.process import logs, worker_metrics
from gateway.process.shared import write_secret

READY_WITHIN_S = 60.0
LONGEST_PAUSE_S = 30.0

Command = Callable[[int, str], Sequence[str]]
"""What starts a worker, given where to write a byte as soon as it answers, and its name."""


@dataclass(frozen=True, slots=True)
class Worker:
    """A running worker, and its name among those that run."""

    name: str
    process: asyncio.subprocess.Process


class Supervisor:
    """Keeps `count` workers behind the socket `listening_fd`."""

    def __init__(self, count: int, listening_fd: int, folder: str, command: Command) -> None:
        self._count = count
        self._fd = listening_fd
        self._folder = folder
        self._command = command
        self._workers: dict[int, Worker] = {}
        self._running: set[asyncio.subprocess.Process] = set()
        """Those on their way in or out, too."""
        self._stopping = asyncio.Event()
        self._rolling = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> int:
        """Until SIGTERM or SIGINT; 1 if the first workers do not start."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.end)
        loop.add_signal_handler(signal.SIGHUP, self.replace)
        try:
            async with self._rolling:
                for slot in range(self._count):
                    self._workers[slot] = await self._spawn(slot)
        except WorkerError as error:
            logs.logger().error("worker_failed", cause=str(error))
            await self._stop()
            return 1
        for slot in range(self._count):
            self._start(self._keep(slot))
        await self._stopping.wait()
        await self._stop()
        return 0

    def end(self) -> None:
        """Let all workers finish, and end."""
        self._stopping.set()

    def replace(self) -> None:
        """Replace all workers, one after the other."""
        self._start(self._roll())

    async def _keep(self, slot: int) -> None:
        """Replace a slot's worker whenever it has ended by itself."""
        pause_s = 0.0
        while True:
            worker = self._workers[slot]
            await worker.process.wait()
            worker_metrics.left(self._folder, worker.name)
            if self._workers[slot] is not worker:
                continue  # it was replaced on purpose
            logs.logger().warning("worker_ended", worker=slot, code=worker.process.returncode)
            await asyncio.sleep(pause_s)
            async with self._rolling:
                if self._workers[slot] is not worker:
                    continue
                try:
                    self._workers[slot] = await self._spawn(slot)
                    pause_s = 0.0
                except WorkerError as error:
                    logs.logger().error("worker_failed", worker=slot, cause=str(error))
                    pause_s = min(LONGEST_PAUSE_S, max(1.0, pause_s * 2))

    async def _roll(self) -> None:
        async with self._rolling:
            for slot in range(self._count):
                try:
                    new = await self._spawn(slot)
                except WorkerError as error:
                    logs.logger().error("worker_failed", worker=slot, cause=str(error))
                    return  # the old ones go on
                old, self._workers[slot] = self._workers[slot], new
                _leave(old.process)
                await old.process.wait()
            logs.logger().info("workers_replaced", workers=self._count)

    async def _spawn(self, slot: int) -> Worker:
        """A worker that answers; raises `WorkerError`."""
        reading, writing = os.pipe()
        before = self._workers.get(slot)
        name = f"{slot}b" if before and before.name == f"{slot}a" else f"{slot}a"
        command = self._command(writing, name)
        process = await asyncio.create_subprocess_exec(*command, pass_fds=(self._fd, writing))
        os.close(writing)
        self._running = {each for each in self._running if each.returncode is None} | {process}
        if not await _is_told(reading):
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
            worker_metrics.left(self._folder, name)
            raise WorkerError(f"it ended or did not start within {READY_WITHIN_S:.0f} s")
        return Worker(name, process)

    async def _stop(self) -> None:
        tasks = [*self._tasks]
        for task in tasks:
            task.cancel()  # nobody is started any more
        await asyncio.gather(*tasks, return_exceptions=True)
        for process in self._running:
            _leave(process)
        await asyncio.gather(*(process.wait() for process in self._running))

    def _start(self, coroutine: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _leave(process: asyncio.subprocess.Process) -> None:
    """Ask a worker to finish and end."""
    with suppress(ProcessLookupError):
        process.terminate()


async def _is_told(fd: int) -> bool:
    """Whether a byte comes out of a pipe in time, rather than its end; closes it."""
    loop = asyncio.get_running_loop()
    readable = loop.create_future()
    loop.add_reader(fd, lambda: None if readable.done() else readable.set_result(None))
    try:
        # Not wait_for, which before Python 3.12 forgets to be cancelled when the byte comes at that moment.
        async with asyncio.timeout(READY_WITHIN_S):
            await readable
        return bool(os.read(fd, 1))
    except TimeoutError:
        return False
    finally:
        loop.remove_reader(fd)
        os.close(fd)


class WorkerError(Exception):
    """A worker did not start."""


def supervise(count: int, listening_fd: int, log_level: str) -> int:
    """Run workers until told to stop; the exit code."""
    logs.configure(log_level)
    with TemporaryDirectory(prefix="gateway-") as folder:
        write_secret(folder)
        return asyncio.run(_run(count, listening_fd, folder))


async def _run(count: int, listening_fd: int, folder: str) -> int:
    def command(ready_fd: int, name: str) -> Sequence[str]:
        # As this process was started, so that a worker is the code and the flags of today.
        own = ["--listening-fd", str(listening_fd), "--ready-fd", str(ready_fd), "--worker", name]
        return [sys.executable, *sys.orig_argv[1:], *own, "--shared-folder", folder]

    return await Supervisor(count, listening_fd, folder, command).run()
