"""How far the pipeline is told to have come, where one replica is behind another."""

from __future__ import annotations

import pytest

from gateway.analytics.pipeline_plan import ProgressPlan
from gateway.errors import StoreUnavailableError
from tests.unit.gateway.fakes import FakeBroker, broker_answer
from tests.unit.gateway.store.pinot.opened import TOTALS, TOTALS_ROW, TOTALS_TYPES, opened

pytestmark = pytest.mark.anyio

TYPES = ["LONG", "STRING", *["LONG"] * 4]


async def test_a_replica_that_is_behind_takes_nothing_back() -> None:
    broker = FakeBroker(lambda _: broker_answer([TOTALS_ROW], TOTALS_TYPES))
    store = await opened(broker, pinot_progress_ttl_ms=0)
    told = []
    for as_of_ms, recorded_at_ms in [(2_000, 2_500), (1_000, 1_500), (3_000, 3_500)]:
        broker.progress = broker_answer(
            [[as_of_ms, "[100, 100, 100, 100]", 0, 2, 0, recorded_at_ms]], TYPES
        )
        told.append((await store.fetch(ProgressPlan(), 5.0)).as_of_ms)
    assert told == [2_000, 2_000, 3_000]


async def test_a_refusal_that_was_recorded_is_not_forgotten_for_an_older_record() -> None:
    broker = FakeBroker(lambda _: broker_answer([TOTALS_ROW], TOTALS_TYPES))
    store = await opened(broker, pinot_progress_ttl_ms=0)
    allowing = broker_answer([[2_000, "[100, 100, 100, 100]", 0, 2, 0, 2_400]], TYPES)
    refusing = broker_answer([[2_000, str([10**13] * 4), 0, 2, 0, 2_500]], TYPES)
    for broker.progress in (refusing, allowing):
        with pytest.raises(StoreUnavailableError):
            await store.fetch(TOTALS, 0.2)
