"""Servers that a benchmark starts: where they may listen, and their end."""

from __future__ import annotations

import os
import socket
import subprocess

END_WITHIN_S = 20


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
