"""How far the pipeline is told to have come, where one replica is behind another."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from gateway.analytics.pipeline_plan import ProgressPlan
from gateway.errors import StoreUnavailableError
from gateway.settings import Settings
from gateway.store.pinot.progress import HANDED_OVER_S
from gateway.store.pinot.store import PinotStore
from tests.unit.gateway.fakes import FakeBroker, broker_answer
from tests.unit.gateway.store.pinot.opened import TOTALS, TOTALS_ROW, TOTALS_TYPES, opened

pytestmark = pytest.mark.anyio

TYPES = ["LONG", "STRING", *["LONG"] * 4, "STRING"]


async def test_a_replica_that_is_behind_takes_nothing_back() -> None:
    broker = FakeBroker(lambda _: broker_answer([TOTALS_ROW], TOTALS_TYPES))
    store = await opened(broker, pinot_progress_ttl_ms=0)
    told = []
    for as_of_ms, recorded_at_ms in [(2_000, 2_500), (1_000, 1_500), (3_000, 3_500)]:
        broker.progress = broker_answer(
            [[as_of_ms, "[100, 100, 100, 100]", 0, 2, 0, recorded_at_ms, ""]], TYPES
        )
        told.append((await store.fetch(ProgressPlan(), 5.0)).as_of_ms)
    assert told == [2_000, 2_000, 3_000]


async def test_a_refusal_that_was_recorded_is_not_forgotten_for_an_older_record() -> None:
    broker = FakeBroker(lambda _: broker_answer([TOTALS_ROW], TOTALS_TYPES))
    store = await opened(broker, pinot_progress_ttl_ms=0)
    allowing = broker_answer([[2_000, "[100, 100, 100, 100]", 0, 2, 0, 2_400, ""]], TYPES)
    refusing = broker_answer([[2_000, str([10**13] * 4), 0, 2, 0, 2_500, ""]], TYPES)
    for broker.progress in (refusing, allowing):
        with pytest.raises(StoreUnavailableError):
            await store.fetch(TOTALS, 0.2)


def handed_over(recorded_at_ms: int, in_memory: str) -> dict[str, object]:
    return broker_answer(
        [[2_000, "[100, 100, 100, 100]", 0, 2, 0, recorded_at_ms, in_memory]], TYPES
    )


def reading(consuming: int) -> FakeBroker:
    """A broker that reads so many segments in memory for each answer."""
    told = broker_answer([TOTALS_ROW], TOTALS_TYPES)
    return FakeBroker(lambda _: {**told, "numConsumingSegmentsQueried": consuming})


async def test_two_segments_in_memory_are_read_only_where_both_are_proven_to_be_whole() -> None:
    broker = reading(2)
    store = await opened(broker, pinot_progress_ttl_ms=0)
    for at_ms, in_memory, answered in [
        (2_400, "", False),
        (2_500, "[2,2,2,2]", True),
        (2_600, "[1,1,1,1]", False),
        (2_700, "", False),
    ]:
        broker.progress = handed_over(at_ms, in_memory)
        if answered:
            await store.fetch(TOTALS, 5.0)
            continue
        with pytest.raises(StoreUnavailableError, match="hands a segment over"):
            await store.fetch(TOTALS, 0.2)


async def test_three_are_not_read_where_two_are_proven() -> None:
    broker = reading(3)
    store = await opened(broker, pinot_progress_ttl_ms=0)
    broker.progress = handed_over(2_500, "[2,2,2,2]")
    with pytest.raises(StoreUnavailableError, match="hands a segment over"):
        await store.fetch(TOTALS, 0.2)


async def test_what_a_proof_says_of_segments_in_memory_holds_for_a_while_only() -> None:
    """A segment of later may be filled by then, by a server that is behind."""
    clock = Clock()
    broker = reading(2)
    settings = Settings(pinot_progress_ttl_ms=0)
    store = PinotStore(settings, session=broker.session(), monotonic=clock)
    await store.open()
    for broker.progress in (handed_over(2_400, ""), handed_over(2_500, "[2,2,2,2]")):
        await store.fetch(ProgressPlan(), 5.0)
    clock.now_s += HANDED_OVER_S - 1
    await store.fetch(TOTALS, 5.0)
    clock.now_s += 2
    with pytest.raises(StoreUnavailableError, match="hands a segment over"):
        await store.fetch(TOTALS, 0.2)
    broker.progress = handed_over(2_600, "[2,2,2,2]")
    await store.fetch(TOTALS, 5.0)


@pytest.mark.parametrize("seen_before", [False, True])
async def test_a_proof_that_may_be_old_says_nothing_of_segments_in_memory(
    seen_before: bool,
) -> None:
    """To a gateway that has just begun, or looks again after a while, a record is new however old it is."""
    clock = Clock()
    broker = reading(2)
    settings = Settings(pinot_progress_ttl_ms=0)
    store = PinotStore(settings, session=broker.session(), monotonic=clock)
    await store.open()
    if seen_before:
        broker.progress = handed_over(2_400, "")
        await store.fetch(ProgressPlan(), 5.0)
        clock.now_s += HANDED_OVER_S + 1
    broker.progress = handed_over(2_500, "[2,2,2,2]")
    with pytest.raises(StoreUnavailableError, match="hands a segment over"):
        await store.fetch(TOTALS, 0.2)
    broker.progress = handed_over(2_600, "[2,2,2,2]")
    await store.fetch(TOTALS, 5.0)


@dataclass
class Clock:
    """Goes on a little whenever it is looked at."""

    now_s: float = 100.0

    def __call__(self) -> float:
        self.now_s += 1e-6
        return self.now_s
