"""The gateway that most tests ask, and what it trusts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.identity_provider import Trust
from tests.unit.gateway.served import Gateway


@pytest.fixture
async def gateway(anyio_backend: str) -> AsyncIterator[Gateway]:
    made = Gateway()
    async with made.client:
        yield made


@pytest.fixture
def trust(tmp_path: Path) -> Trust:
    """Files that the test may change."""
    return Trust(tmp_path)
