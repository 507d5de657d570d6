"""Series over time: every bucket, or those with something in them."""

from __future__ import annotations

import pytest

from tests.unit.gateway.analytics.few_transfers import HOUR_MS, LAST_DAY
from tests.unit.gateway.api import Api
from tests.unit.gateway.fakes import NOW_MS

pytestmark = pytest.mark.anyio


async def test_weeks_of_a_series_begin_as_the_caller_says(api: Api) -> None:
    answer = await api.account(
        """timeSeries(window: {lastWithRunning: {count: 2, unit: WEEK}}, granularity: WEEK,
          calendar: {weekStart: SUNDAY}) { points { start transactionCount partial } }"""
    )
    assert answer["timeSeries"]["points"] == [
        {"start": "2025-11-09T00:00:00.000Z", "transactionCount": 0, "partial": False},
        {"start": "2025-11-16T00:00:00.000Z", "transactionCount": 7, "partial": True},
    ]


async def test_a_series_has_every_bucket_and_sums_to_the_total(api: Api) -> None:
    answer = await api.account(
        """timeSeries(window: {calendar: THIS_WEEK}, granularity: DAY, timeZone: "Asia/Tokyo") {
        granularity window { start end } points { start partial transactionCount transactionAmount }
        } totals(window: {calendar: THIS_WEEK}, timeZone: "Asia/Tokyo") { transactionAmount }"""
    )
    series = answer["timeSeries"]
    assert series["window"] == {
        "start": "2025-11-17T00:00:00.000+09:00",
        "end": "2025-11-24T00:00:00.000+09:00",
    }
    assert [tuple(point.values()) for point in series["points"]] == [
        ("2025-11-17T00:00:00.000+09:00", False, 0, "0"),
        ("2025-11-18T00:00:00.000+09:00", False, 0, "0"),
        ("2025-11-19T00:00:00.000+09:00", False, 0, "0"),
        ("2025-11-20T00:00:00.000+09:00", False, 0, "0"),
        ("2025-11-21T00:00:00.000+09:00", False, 3, "90"),
        ("2025-11-22T00:00:00.000+09:00", True, 4, "46"),
        ("2025-11-23T00:00:00.000+09:00", True, 0, "0"),
    ]
    assert answer["totals"]["transactionAmount"] == "136"


async def test_a_series_can_leave_empty_buckets_out(api: Api) -> None:
    answer = await api.account(
        f"""timeSeries({LAST_DAY}, granularity: HOUR, fill: NONE, timeZone: "Asia/Kolkata") {{
        points {{ start transactionAmount }} }}"""
    )
    assert [tuple(point.values()) for point in answer["timeSeries"]["points"]] == [
        ("2025-11-22T08:00:00.000+05:30", "1"),
        ("2025-11-22T10:00:00.000+05:30", "5"),
        ("2025-11-22T11:00:00.000+05:30", "30"),
        ("2025-11-22T12:00:00.000+05:30", "10"),
    ]


async def test_points_that_end_after_as_of_are_partial(api: Api) -> None:
    api.store.as_of_ms = NOW_MS - 2 * HOUR_MS - 1
    answer = await api.account(
        """timeSeries(window: {last: {count: 5, unit: HOUR}}, granularity: HOUR) {
        asOf points { end partial } }"""
    )
    series = answer["timeSeries"]
    shown = [(point["end"], point["partial"]) for point in series["points"]]
    assert len(shown) == 6
    assert shown[0][1], "clipped"
    assert (
        [partial for end, partial in shown[1:]]
        == [end > series["asOf"] for end, _ in shown[1:]]
        == [False, False, True, True, True]
    )
