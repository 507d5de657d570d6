"""A gateway of its own as a process, with the embedded store, for tests of what only processes show."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

CHECKOUT = Path(__file__).resolve().parents[2]
READY_WITHIN_S = 60


@dataclass(frozen=True)
class GatewayProcess:
    """A running gateway, perhaps with workers."""

    process: subprocess.Popen[bytes]
    url: str

    def workers(self) -> list[int]:
        """The pids of its workers."""
        return [child.pid for child in psutil.Process(self.process.pid).children()]

    def signal(self, number: int) -> None:
        self.process.send_signal(number)


@contextmanager
def running(module: str = "gateway", **settings: str) -> Iterator[GatewayProcess]:
    """A gateway that is ready; it must end by itself when it is told to."""
    port = free_port()
    environment = os.environ | {
        "GATEWAY_STORE": "duckdb",
        "GATEWAY_SAMPLE_TRANSFERS": "500",
        "GATEWAY_PORT": str(port),
        "GATEWAY_LOG_LEVEL": "warning",
        **settings,
    }
    command = [sys.executable, "-P", "-m", module]
    environment["PYTHONPATH"] = str(CHECKOUT)
    process = subprocess.Popen(command, cwd=CHECKOUT, env=environment)
    gateway = GatewayProcess(process, f"http://127.0.0.1:{port}")
    try:
        wait_ready(gateway.url)
        yield gateway
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_ready(url: str) -> None:
    give_up_at = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < give_up_at:
        try:
            if httpx.get(f"{url}/readyz", trust_env=False).is_success:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    raise TimeoutError(f"{url} is not ready after {READY_WITHIN_S} s")
