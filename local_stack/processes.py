"""Starting, recognising and ending process groups; nothing here knows what a part is."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

# Every process of a stack carries this variable, whatever group it moved to:
# that is how what a killed stack left behind is found again.
MARKER = "STACK_OWNER"
POLL_S = 0.05


@dataclass(frozen=True, slots=True)
class ProcessId:
    """A process as nobody else can be: its number and when it was born, in whatever unit the system has."""

    pid: int
    born: float

    def alive(self) -> bool:
        """Whether this very process still runs (a zombie does not)."""
        try:
            return (
                _born(self.pid) == self.born
                and psutil.Process(self.pid).status() != psutil.STATUS_ZOMBIE
            )
        except psutil.NoSuchProcess:
            return False


def start(
    argv: Sequence[str], environment: Mapping[str, str], log: Path, owner: str, cwd: Path
) -> subprocess.Popen[bytes]:
    """Start a command in a process group of its own, its output appended to `log`."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        return subprocess.Popen(
            argv,
            env={**environment, MARKER: owner},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=cwd,
            start_new_session=True,
        )


def identify(pid: int) -> ProcessId | None:
    """The process that has this number now, if any."""
    try:
        return ProcessId(pid, _born(pid))
    except psutil.NoSuchProcess:
        return None


def _born(pid: int) -> float:
    """When a process was born: on Linux in ticks since the boot, which no change of the clock moves."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return float(fields[19])
    except (FileNotFoundError, ProcessLookupError):  # gone before it was opened, or was read
        return psutil.Process(pid).create_time()


def signal_group(pid: int, number: signal.Signals) -> None:
    """Signal the process group that `pid` leads; gone is fine."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


def group_members(pids: Iterable[int]) -> list[psutil.Process]:
    """All living processes of the groups led by `pids`."""
    wanted = set(pids)
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error, ProcessLookupError):
            if os.getpgid(process.pid) in wanted and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


def end_groups(pids: Sequence[int], patience_s: float) -> None:
    """Ask the groups to end, wait up to `patience_s`, then kill what is left of them."""
    for pid in pids:
        signal_group(pid, signal.SIGTERM)
    deadline = time.monotonic() + patience_s
    while group_members(pids) and time.monotonic() < deadline:
        _reap(pids)
        time.sleep(POLL_S)
    for pid in pids:
        signal_group(pid, signal.SIGKILL)
    # Killed processes need a moment to give back their ports.
    deadline = time.monotonic() + 5
    while group_members(pids) and time.monotonic() < deadline:
        _reap(pids)
        time.sleep(POLL_S)


def owned(owner: str) -> list[psutil.Process]:
    """Every process that carries `owner`'s marker, except this one and its ancestors."""
    me = psutil.Process()
    spared = {me.pid, *(parent.pid for parent in me.parents())}
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.pid not in spared and process.environ().get(MARKER) == owner:
                found.append(process)
    return found


def kill_owned(owner: str) -> list[str]:
    """Kill whatever carries `owner`'s marker; return a line for each process that did."""
    lines = []
    found = owned(owner)
    for process in found:
        with suppress(psutil.Error):
            lines.append(f"{process.pid} {process.name()}")
            process.kill()
    psutil.wait_procs(found, timeout=5)
    return lines


def _reap(pids: Iterable[int]) -> None:
    """Collect children of ours that have ended, so that they do not count as running."""
    for pid in pids:
        with suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)
