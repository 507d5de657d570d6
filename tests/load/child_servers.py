"""Servers that a benchmark starts: where they may listen, and their end."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import sys
from typing import NoReturn

END_WITHIN_S = 20
_PR_SET_PDEATHSIG = 1


def end_when_told() -> None:
    """Let SIGTERM end this process as an error does, so that what it started is ended too."""

    def leave(*_: object) -> NoReturn:
        sys.exit(128 + signal.SIGTERM)

    signal.signal(signal.SIGTERM, leave)


def tied() -> None:
    """For a child's `preexec_fn`: it is told to end when its parent has ended, however that was."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def end(process: subprocess.Popen[bytes]) -> None:
    """Ask a server to stop; kill the group that it leads if it does not."""
    process.terminate()
    try:
        process.wait(END_WITHIN_S)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, 9)
        process.wait()
