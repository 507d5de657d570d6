"""Keeps parts running: starts each when what it needs is healthy, and again when it dies."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from local_stack import processes, run_file
from local_stack.part import Part, child_environment
from local_stack.run_file import PartRun, StackRun
from local_stack.settings import CHECKOUT

POLL_S = 0.25
BACKOFF_S = (1, 2, 4, 8, 15, 30)
# A part that ran this long is taken for sound: its next death starts the back-off anew.
SOUND_AFTER_S = 60
LOG_TAIL_LINES = 12


class PartFailedError(Exception):
    """A part did not come up; the message names it and ends with its log."""


class Supervisor:
    """Owns the child processes of one stack. Thread-safe; `watch` restarts what dies."""

    def __init__(
        self,
        run_path: Path,
        logs: Path,
        environment: Mapping[str, str],
        tell: Callable[[str], None],
        *,
        embedded: bool = False,
    ) -> None:
        me = processes.identify(os.getpid())
        assert me is not None
        self.owner = f"{run_path}"
        self._run_path = run_path
        self._logs = logs
        self._environment = dict(environment)
        self.tell = tell  # shows a line to whoever watches the stack
        self._lock = threading.RLock()
        self._run = StackRun(me, embedded=embedded)
        self._parts: dict[str, Part] = {}
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._restart_at: dict[str, float] = {}
        self._healthy_since: dict[str, float] = {}
        self._stopping = threading.Event()
        self._write()

    @property
    def run(self) -> StackRun:
        return self._run

    @property
    def stopping(self) -> bool:
        return self._stopping.is_set()

    def stopped_within(self, seconds: float) -> bool:
        """Wait up to `seconds`; return at once and True when the stack stops."""
        return self._stopping.wait(seconds)

    def ended(self, name: str) -> bool:
        """Whether a part was started, and runs no more."""
        child = self._children.get(name)
        return child is not None and child.poll() is not None

    def bring_up(self, part: Part) -> None:
        """Start a part and wait until it is healthy.

        Raises:
            PartFailedError: it ended, or was not healthy within its deadline.

        """
        began = time.monotonic()
        with self._lock:
            self._parts[part.name] = part
        self._start(part, restarts=0)
        deadline = began + part.deadline_s
        child = self._children[part.name]
        healthy = False
        while not healthy:
            time.sleep(POLL_S)
            healthy = time.monotonic() > began + part.settle_s and part.healthy()
            if self.stopping:
                raise PartFailedError(f"{part.name} was stopped while it started.")
            # Looked at after the health check, which another program on the port might have answered.
            if child.poll() is not None:
                raise PartFailedError(self._why(part, f"ended with code {child.returncode}"))
            if not healthy and time.monotonic() > deadline:
                raise PartFailedError(self._why(part, f"not healthy after {part.deadline_s:.0f} s"))
        self._mark(part.name, "running")

    def watch(self) -> None:
        """Look after the parts until the stack stops; for a thread of its own."""
        while not self._stopping.wait(POLL_S):
            try:
                self.watch_once()
            except Exception as problem:  # noqa: BLE001 - whatever it is, the parts are still to be watched
                self.tell(f"watching went wrong and goes on: {problem!r}")

    def watch_once(self) -> None:
        """Look after every part once: note the dead, start again those whose back-off is over."""
        for name, child in list(self._children.items()):
            if self.stopping:
                return
            if name in self._restart_at:
                if time.monotonic() >= self._restart_at[name] and self._needs_met(name):
                    self._restart(name)
            elif self._run.parts[name].state == "starting":
                continue  # still `bring_up`'s
            elif child.poll() is not None:
                self._schedule_restart(name, child.returncode)
            elif self._run.parts[name].state == "restarting":
                self._promote(name)

    def phase(self, phase: str) -> None:
        """Write down what the stack as a whole is doing."""
        with self._lock:
            self._run = replace(self._run, phase=phase)
            self._write()

    def begin_stop(self) -> None:
        """From now on nothing that ends is started again."""
        self._stopping.set()
        self.phase("stopping")

    def stop(self, tiers: list[list[str]]) -> None:
        """End all parts, tier after tier, and whatever they left behind."""
        self.begin_stop()
        for tier in tiers:
            present = [name for name in tier if name in self._children]
            patience = max((self._parts[name].patience_s for name in present), default=0)
            processes.end_groups([self._children[name].pid for name in present], patience)
            for name in present:
                with suppress(subprocess.TimeoutExpired):
                    self._children[name].wait(timeout=5)
        processes.kill_owned(self.owner)
        self._run_path.unlink(missing_ok=True)

    def log_file(self, name: str) -> Path:
        return self._logs / f"{name}.log"

    def _start(self, part: Part, restarts: int) -> None:
        if self.stopping:
            raise PartFailedError(f"{part.name} was not started: the stack stops.")
        if part.prepare is not None:
            part.prepare()
        child = processes.start(
            part.argv,
            child_environment(self._environment, part.environment),
            self.log_file(part.name),
            self.owner,
            CHECKOUT,
        )
        process = processes.identify(child.pid) or processes.ProcessId(child.pid, 0)
        with self._lock:
            state = "restarting" if restarts else "starting"
            run = PartRun(process, part.address, restarts, state)
            self._run = self._run.with_part(part.name, run)
            self._children[part.name] = child
            self._write()

    def _schedule_restart(self, name: str, code: int | None) -> None:
        since = self._healthy_since.pop(name, None)
        run = self._run.parts[name]
        sound = since is not None and time.monotonic() - since > SOUND_AFTER_S
        step = 0 if sound else min(run.restarts, len(BACKOFF_S) - 1)
        self._restart_at[name] = time.monotonic() + BACKOFF_S[step]
        self._mark(name, "restarting")
        self.tell(f"{name} died (code {code}); starting it again in {BACKOFF_S[step]} s")

    def _restart(self, name: str) -> None:
        del self._restart_at[name]
        # What the dead part started (a task manager's Python workers) must not outlive it.
        processes.end_groups([self._children[name].pid], patience_s=0)
        restarts = self._run.parts[name].restarts + 1
        try:
            self._start(self._parts[name], restarts)
        except Exception as problem:  # noqa: BLE001 - one more death of the part, not the stack's end
            self.tell(f"{name} could not be started: {problem}")
            self._restart_at[name] = time.monotonic() + BACKOFF_S[-1]

    def _promote(self, name: str) -> None:
        if self._parts[name].healthy() and self._children[name].poll() is None:
            self._mark(name, "running")
            self.tell(f"{name} is running again (restart {self._run.parts[name].restarts})")

    def _needs_met(self, name: str) -> bool:
        return all(
            self._run.parts[needed].state == "running"
            for needed in self._parts[name].needs
            if needed in self._run.parts
        )

    def _mark(self, name: str, state: str) -> None:
        with self._lock:
            if state == "running":
                self._healthy_since[name] = time.monotonic()
            part = replace(self._run.parts[name], state=state)
            self._run = self._run.with_part(name, part)
            self._write()

    def _why(self, part: Part, what: str) -> str:
        log = self.log_file(part.name)
        lines = log.read_text(errors="replace").splitlines()[-LOG_TAIL_LINES:]
        tail = "\n".join(f"    {line[:300]}" for line in lines)
        return f"{part.name} did not come up: {what}. The end of {log}:\n{tail}"

    def _write(self) -> None:
        run_file.write(self._run_path, self._run)
