"""An operation ends with its client or at its deadline, whatever the store does."""

from __future__ import annotations

import asyncio
import json

import pytest

from gateway.settings import Settings
from tests.unit.gateway.served import TOTALS, Gateway, call, settle

pytestmark = pytest.mark.anyio


def stalled(settings: Settings | None = None) -> Gateway:
    """A gateway whose store never answers."""
    gateway = Gateway(settings or Settings())
    gateway.store.may_answer = asyncio.Event()
    return gateway


async def test_a_client_that_hangs_up_stops_its_operation() -> None:
    gateway, gone = stalled(), asyncio.Event()
    serving = asyncio.ensure_future(call(gateway.app, gone))
    await settle()
    assert len(gateway.store.plans) == 1
    gone.set()
    assert await serving == b"", "nobody is there"
    await settle()
    assert gateway.store.cancelled == 1
    assert json.loads(gateway.log.getvalue())["status"] == 499


async def test_who_stops_the_gateway_is_not_taken_for_a_client_that_hung_up() -> None:
    gateway = stalled()
    serving = asyncio.ensure_future(call(gateway.app))
    await settle()
    serving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await serving
    assert gateway.log.getvalue() == ""


async def test_the_deadline_holds_even_if_the_store_does_not() -> None:
    assert await stalled(Settings(deadline_ms=20)).code(TOTALS) == "DEADLINE_EXCEEDED"
