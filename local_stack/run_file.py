"""What is running, written down: the one file by which `status`, `down` and the next `up` know it.

Whether it still runs is not read from the file: the supervisor holds a lock beside it for as long as it
lives, which the kernel gives back whatever it dies of.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from local_stack.processes import ProcessId

# From taking the lock to writing the file.
WRITTEN_WITHIN_S = 2.0


@dataclass(frozen=True, slots=True)
class PartRun:
    """One part's process and how often it had to be started again."""

    process: ProcessId
    address: str
    restarts: int = 0
    state: str = "starting"  # starting, running, restarting


@dataclass(frozen=True, slots=True)
class StackRun:
    """The supervisor and its parts. `phase` is `preparing`, `starting`, `running` or `stopping`."""

    supervisor: ProcessId
    phase: str = "preparing"
    embedded: bool = False
    parts: dict[str, PartRun] = field(default_factory=dict)

    def with_part(self, name: str, part: PartRun) -> StackRun:
        return replace(self, parts={**self.parts, name: part})


def read(path: Path) -> StackRun | None:
    """The last state written, or None if there is none or it cannot be read."""
    try:
        raw = json.loads(path.read_text())
        parts = {
            name: PartRun(ProcessId(**part.pop("process")), **part)
            for name, part in raw.pop("parts").items()
        }
        return StackRun(ProcessId(**raw.pop("supervisor")), parts=parts, **raw)
    except (FileNotFoundError, ValueError, TypeError, KeyError):
        return None


def write(path: Path, run: StackRun) -> None:
    """Replace the file in one step, so that a reader never sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(asdict(run), indent=1))
    fresh.replace(path)


def take_lock(path: Path, patience_s: float = 0) -> int | None:
    """Take the lock beside the file for as long as this process lives; None if another has it.

    With some patience, as `is_locked` of another process holds it for a moment.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = os.open(path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
    deadline = time.monotonic() + patience_s
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                os.close(lock)
                return None
            time.sleep(0.02)
        else:
            return lock


def is_locked(path: Path) -> bool:
    """Whether a supervisor of this stack lives."""
    lock = take_lock(path)
    if lock is None:
        return True
    os.close(lock)
    return False


def live(path: Path) -> StackRun | None:
    """The run whose supervisor lives, if any."""
    deadline = time.monotonic() + WRITTEN_WITHIN_S
    while is_locked(path):
        run = read(path)
        if run is not None and run.supervisor.alive():
            return run
        if time.monotonic() > deadline:
            return run
        time.sleep(0.05)
    return None
