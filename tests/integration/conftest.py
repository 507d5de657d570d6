"""The real Kafka, Flink, Pinot and gateway, started once a session with `./dev up`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration.running_stack import CHECKOUT, RunningStack

# They leave a gigabyte in the topics, which every test that reads a topic from its start would go through after them.
LEAVING_MUCH = "test_packed_records.py"


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """In whatever order the others are, these come last."""
    items.sort(key=lambda item: item.path.name == LEAVING_MUCH)


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
