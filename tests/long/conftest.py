"""The stack of the integration tests, for what takes too long to be run with them."""

from __future__ import annotations

from tests.integration.conftest import stack

__all__ = ["stack"]
