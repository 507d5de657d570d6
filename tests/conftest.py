"""How Hypothesis searches: at random where people work, the same way each time where a run must be repeatable.

A deadline for one example would measure the machine, so there is none.
"""

from __future__ import annotations

import os

from hypothesis import settings

settings.register_profile("exploring", deadline=None)
settings.register_profile("repeatable", derandomize=True, print_blob=True, deadline=None)
settings.load_profile("repeatable" if os.environ.get("CI") else "exploring")
