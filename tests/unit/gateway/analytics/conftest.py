"""The API over a few transfers, or over those that a module has as its `data`."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from gateway.analytics.model import Entry
from tests.unit.gateway.analytics.few_transfers import DATA
from tests.unit.gateway.api import Api


@pytest.fixture
def data() -> list[Entry]:
    return list(DATA)


@pytest.fixture
async def api(anyio_backend: str, data: list[Entry]) -> AsyncIterator[Api]:
    made = Api(data)
    async with made.client:
        yield made
