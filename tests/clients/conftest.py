"""What the clients need: their packages, and a gateway on the embedded store, in a process of its own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from local_stack.preparation import prepare_pages
from local_stack.settings import StackSettings
from tests.clients.served import HeldStore

ROOT = Path(__file__).parents[2]
READY_WITHIN_S = 30


@pytest.fixture(scope="module")
def gateway_url() -> Iterator[str]:
    """Its `/graphql`, once it is ready."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = os.environ | {"GATEWAY_STORE": "duckdb", "GATEWAY_PORT": str(port)}
    command = [sys.executable, "-m", "gateway"]
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL) as process:
        url = f"http://127.0.0.1:{port}"
        give_up_at = time.monotonic() + READY_WITHIN_S
        while time.monotonic() < give_up_at:
            try:
                if httpx.get(f"{url}/readyz").is_success:
                    break
            except httpx.TransportError:
                time.sleep(0.05)
        yield f"{url}/graphql"
        process.terminate()


@pytest.fixture
def store() -> HeldStore:
    """Sample data in this process, which the test may pay into and take away."""
    return HeldStore(2_000)


@pytest.fixture(scope="session")
def packages() -> None:
    """The locked packages; again where the lock has changed."""
    here = Path(__file__).parent
    lock, stamp = here / "package-lock.json", here / "node_modules" / ".package-lock.json"
    if not stamp.exists() or stamp.stat().st_mtime < lock.stat().st_mtime:
        subprocess.run(["npm", "ci", "--ignore-scripts"], cwd=here, check=True)
        stamp.touch()


@pytest.fixture(scope="session")
def page_assets() -> None:
    """What the pages load, fetched as `./dev up` does if it is not here yet."""
    assert prepare_pages(StackSettings(), os.environ, print)
