"""A plugin of pytest: a run with a fault, which is a fork of the one without, remembers none of that one's answers."""

from __future__ import annotations

import sys

from tests.mutation.workshop import PACKAGES


def pytest_sessionstart() -> None:
    """Empty every memory of a function in the modules that are loaded."""
    for name, module in sys.modules.items():
        if name.partition(".")[0] in PACKAGES:
            for each in vars(module).values():
                if hasattr(each, "cache_clear"):
                    each.cache_clear()
