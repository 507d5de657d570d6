"""The API over a few transfers, which some tests replace by their own."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.unit.gateway.analytics.few_transfers import DATA
from tests.unit.gateway.api import Api


@pytest.fixture
async def api(anyio_backend: str) -> AsyncIterator[Api]:
    made = Api(list(DATA))
    async with made.client:
        yield made
