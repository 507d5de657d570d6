"""How Hypothesis searches: at random where people work, the same way each time where a run must be repeatable; and the event loop.

A deadline for one example would measure the machine, so there is none.
"""

from __future__ import annotations

import os

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
