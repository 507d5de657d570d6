"""The local stack, started for a benchmark in the background and ended after it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from local_stack import run_file
from local_stack.settings import CHECKOUT, StackSettings

DEV = str(CHECKOUT / "dev")
LAST_WORDS = 2_000


class NotUpError(Exception):
    """The stack did not start; with the end of what it said."""


def refuse_a_running_one(settings: StackSettings) -> None:
    """End the program where a stack of this checkout runs, which is somebody's own."""
    if run_file.is_locked(settings.run_file):
        print("A stack runs. End it first: ./dev down", file=sys.stderr)
        sys.exit(2)


@contextmanager
def up(*flags: str) -> Iterator[None]:
    """A stack that is up while the block runs.

    Raises:
        NotUpError: it did not come up.

    """
    try:
        started = _said("up", "--detach", *flags)
        if started.returncode:
            raise NotUpError(started.stdout[-LAST_WORDS:])
        yield
    finally:
        _said("down")


def _said(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [DEV, *words],
        check=False,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
