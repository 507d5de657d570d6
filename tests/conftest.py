"""How Hypothesis searches: at random where people work, the same way each time where a run must be repeatable; and the event loop.

A deadline for one example would measure the machine, so there is none. `--pinot-home` is for what starts a stack.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import Phase, settings

settings.register_profile("exploring", deadline=None)
settings.register_profile("repeatable", derandomize=True, print_blob=True, deadline=None)
# Whether there is a counterexample is all that matters there, not how small one can be.
settings.register_profile(
    "mutation", derandomize=True, deadline=None, phases=(Phase.explicit, Phase.generate)
)
settings.load_profile("repeatable" if os.environ.get("CI") else "exploring")


@pytest.fixture
def anyio_backend() -> str:
    """The one event loop that the gateway runs on."""
    return "asyncio"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options of this suite's own."""
    parser.addoption(
        "--pinot-home",
        type=Path,
        help="the Pinot that stacks run, as of ./dev up --pinot-home; by default the fetched one",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Every stack that is started reads it from there, as do the commands that are run on it."""
    home: Path | None = config.getoption("--pinot-home")
    if home is not None:
        os.environ["PINOT_HOME"] = str(home.resolve())
