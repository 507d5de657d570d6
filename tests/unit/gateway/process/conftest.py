"""A gateway on a socket, on the loop that serves."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.unit.gateway.process.listening import LIMITS, Listening, listening
from tests.unit.gateway.served import Gateway


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, bool]]:
    """As `gateway.__main__` has it."""
    return "asyncio", {"use_uvloop": True}


@pytest.fixture
async def gateway(anyio_backend: object) -> Gateway:
    return Gateway()


@pytest.fixture
async def served(gateway: Gateway) -> AsyncIterator[Listening]:
    async with listening(gateway.app, LIMITS) as made:
        yield made
