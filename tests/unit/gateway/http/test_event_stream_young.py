"""How old what a subscriber is told may be: whoever comes later in a long interval is told what is so now."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.errors import StoreUnavailableError
from tests.unit.gateway.fakes import NOW_MS
from tests.unit.gateway.served import Gateway
from tests.unit.gateway.subscribed import TOTALS, subscribe

pytestmark = pytest.mark.anyio

DAY_MS = 86_400_000
MIDNIGHT_MS = NOW_MS // DAY_MS * DAY_MS
STATE = "subscription { pipeline { state freshnessSeconds } }"
YESTERDAY = 'subscription { account(id: "alice") { totals(window: {%s}) { window { start } } } }'
PACES = [(1_000, 0.45), (5_000, 2.2), (60_000, 27.0), (3_600_000, 1_700.0)]
"""An interval in milliseconds, and how much later in it, at the most, another subscriber comes."""


def wish(interval_ms: int) -> dict[str, Any]:
    return {"extensions": {"live": {"intervalMs": interval_ms}}}


@pytest.mark.parametrize(("interval_ms", "later_s"), PACES)
async def test_the_pipelines_state_is_that_of_now(interval_ms: int, later_s: float) -> None:
    gateway = Gateway()
    first = await subscribe(gateway, STATE, more=wish(interval_ms))
    told_s = first.events[0]["data"]["pipeline"]["freshnessSeconds"]
    gateway.passes(later_s)  # in which the pipeline stands still
    later = await subscribe(gateway, STATE, more=wish(interval_ms))
    told = later.events[0]["data"]["pipeline"]
    assert told["freshnessSeconds"] == pytest.approx(told_s + later_s)
    assert told["state"] == ("LIVE" if later_s < 28 else "STALLED")


@pytest.mark.parametrize(("interval_ms", "later_s"), PACES)
async def test_an_outage_is_not_told_as_all_is_well(interval_ms: int, later_s: float) -> None:
    gateway = Gateway()
    await subscribe(gateway, STATE, more=wish(interval_ms))
    gateway.store.error = StoreUnavailableError("gone")
    gateway.passes(later_s)
    later = await subscribe(gateway, STATE, more=wish(interval_ms))
    assert later.events[0]["data"] == {"pipeline": None}
    assert later.codes == ["BACKEND_UNAVAILABLE"]


@pytest.mark.parametrize("window", ["calendar: YESTERDAY", "lastFull: {count: 1, unit: DAY}"])
@pytest.mark.parametrize(("interval_ms", "later_s"), PACES)
async def test_a_day_that_has_turned_is_not_told(
    interval_ms: int, later_s: float, window: str
) -> None:
    query = YESTERDAY % window
    gateway = Gateway(now_ms=MIDNIGHT_MS - round(later_s * 500))
    starts = []
    for _ in range(2):
        subscriber = await subscribe(gateway, query, more=wish(interval_ms))
        starts.append(subscriber.events[0]["data"]["account"]["totals"]["window"]["start"])
        gateway.passes(later_s)
    assert starts == ["2025-11-20T00:00:00.000Z", "2025-11-21T00:00:00.000Z"]


async def test_many_who_come_within_a_second_are_told_by_one_look() -> None:
    gateway = Gateway()
    live = wish(3_600_000)
    subscribers = [await subscribe(gateway, TOTALS, more=live) for _ in range(5)]
    gateway.passes(0.9)
    subscribers += [await subscribe(gateway, TOTALS, more=live) for _ in range(5)]
    assert len(gateway.store.plans) == 1
    gateway.passes(0.2)
    subscribers.append(await subscribe(gateway, TOTALS, more=live))
    assert len(gateway.store.plans) == 2
    assert all(each.counts == [5] for each in subscribers)
