"""Debian's packages, installed with apt-get while it is told how far that is."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections import deque
from collections.abc import Callable, Sequence

UPDATE = ("apt-get", "update")
INSTALL = ("apt-get", "install", "-y", "--no-install-recommends")
# Progress as lines beside the rest; and whoever else installs something is waited for.
OPTIONS = ("-q", "-o", "APT::Status-Fd=1", "-o", "DPkg::Lock::Timeout=300")
STEPS = {"dlstatus": "fetching packages", "pmstatus": "installing"}
TELL_EVERY_PERCENT = 20
SAID_LINES = 15

Tell = Callable[[str], None]
Run = Callable[[Sequence[str], Tell], int]
"""Runs a command, hands on each line that it says, and returns its exit code."""


class AptError(Exception):
    """apt-get failed; the message has the end of what it said."""


def install(packages: Sequence[str], run: Run, tell: Tell) -> None:
    """Install packages by lists that are fetched once.

    Raises:
        AptError: a list or a package could not be had.

    """
    for command in (UPDATE, (*INSTALL, *packages)):
        progress = _Progress(tell)
        tell(f"  $ {shlex.join(command)}")
        if run((*command, *OPTIONS), progress.heard) != 0:
            raise AptError(f"{shlex.join(command)} has failed:\n" + "\n".join(progress.said))


class _Progress:
    """Tells of every so many percent, and keeps the end of what else is said."""

    def __init__(self, tell: Tell) -> None:
        self.said: deque[str] = deque(maxlen=SAID_LINES)
        self._tell = tell
        self._step, self._told_at = "", 0.0

    def heard(self, line: str) -> None:
        """One line: `dlstatus:3:23.4:Retrieving file 3 of 12` is progress, as is `pmstatus:…`."""
        kind, *words = line.split(":", 3)
        if kind not in STEPS or len(words) < 2:
            self.said.append(line)
            return
        percent = float(words[1])
        if kind != self._step or percent >= self._told_at + TELL_EVERY_PERCENT:
            self._step, self._told_at = kind, percent
            self._tell(f"  {STEPS[kind]}: {percent:.0f} %")


def run(command: Sequence[str], heard: Tell) -> int:
    """Run a command that must not ask anything; see `Run`."""
    with subprocess.Popen(
        command,
        env={**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as running:
        assert running.stdout is not None
        for line in running.stdout:
            heard(line.rstrip())
    return running.returncode
