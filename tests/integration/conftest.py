"""The real Kafka, Flink, Pinot and gateway, started once a session with `./dev up`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration.running_stack import CHECKOUT, RunningStack


@pytest.fixture(scope="session")
def stack() -> Iterator[RunningStack]:
    """A stack without data and without sample traffic. Fails, never skips, when it does not start."""
    running = RunningStack(CHECKOUT / ".local" / "test-stack")
    running.dev("down")
    try:
        running.up("--fresh")
        yield running
    finally:  # also of one that did not come up in time: it would go on starting
        said = running.dev("down")
    assert said.returncode == 0, said.stdout
