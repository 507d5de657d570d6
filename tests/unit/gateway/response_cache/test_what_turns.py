"""No kept answer outlives what was asked: days and months turn, outages begin, and asking takes time."""

# ruff: noqa: UP031 - documents with braces read better with % than with doubled braces

from __future__ import annotations

import asyncio
from datetime import datetime

import httpx
import pytest

from gateway.errors import StoreUnavailableError
from gateway.settings import Settings
from tests.unit.gateway.served import Gateway, HeldStore, settle

pytestmark = pytest.mark.anyio

LONG = Settings(cache_live_ms=60_000, cache_closed_ms=60_000, cache_stale_ms=60_000)
TURNS = [
    ("YESTERDAY", "Asia/Ho_Chi_Minh", "2026-11-23T00:00+07:00"),
    ("TODAY", "Europe/Berlin", "2026-10-26T00:00+01:00"),
    ("TODAY", "America/Sao_Paulo", "2018-11-04T01:00-02:00"),  # there is no midnight
    ("THIS_WEEK", "Asia/Kathmandu", "2026-11-23T00:00+05:45"),
    ("LAST_WEEK", "UTC", "2026-11-23T00:00+00:00"),
    ("THIS_MONTH", "America/New_York", "2026-12-01T00:00-05:00"),
    ("LAST_MONTH", "Pacific/Chatham", "2026-10-01T00:00+13:45"),
    ("THIS_QUARTER", "Africa/Cairo", "2026-07-01T00:00+03:00"),
    ("LAST_QUARTER", "UTC", "2026-10-01T00:00+00:00"),
    ("THIS_YEAR", "Asia/Tokyo", "2027-01-01T00:00+09:00"),
    ("LAST_YEAR", "Pacific/Apia", "2027-01-01T00:00+13:00"),
]
UNITS_TURN = [
    ("{lastFull: {count: 2, unit: DAY}}", "Europe/Berlin", "2026-10-26T00:00+01:00"),
    ("{lastFull: {count: 1, unit: HOUR}}", "Asia/Kathmandu", "2026-11-23T01:00+05:45"),
    ("{lastWithRunning: {count: 3, unit: MONTH}}", "UTC", "2026-12-01T00:00+00:00"),
]


def totals(window: str, zone: str = "UTC") -> str:
    return (
        '{ account(id: "alice") { totals(window: %s, timeZone: "%s") { window { start end } } } }'
        % (window, zone)
    )


def before(turn: str, seconds: float, settings: Settings = LONG) -> Gateway:
    """A gateway whose clock shows so many seconds before an instant."""
    turn_ms = round(datetime.fromisoformat(turn).timestamp() * 1000)
    now_ms = turn_ms - round(seconds * 1000)
    return Gateway(settings, HeldStore(as_of_ms=now_ms - 500), now_ms=now_ms)


def window_of(response: httpx.Response) -> dict[str, str]:
    body = response.json()
    window: dict[str, str] = body["data"]["account"]["totals"]["window"]
    assert "cache" not in body["extensions"], "not fresh"
    return window


@pytest.mark.parametrize(("period", "zone", "turn"), TURNS)
async def test_an_answer_ends_where_its_period_turns(period: str, zone: str, turn: str) -> None:
    gateway, query = before(turn, 2.4), totals("{calendar: %s}" % period, zone)
    old = window_of(await gateway.post(query))
    gateway.passes(2.3)
    assert window_of(await gateway.post(query)) == old
    assert len(gateway.store.plans) == 1
    gateway.passes(0.2)
    new = window_of(await gateway.post(query))
    assert new["start"] == old["end"]
    assert len(gateway.store.plans) == 2


@pytest.mark.parametrize(("window", "zone", "turn"), UNITS_TURN)
async def test_an_answer_ends_where_its_units_turn(window: str, zone: str, turn: str) -> None:
    gateway, query = before(turn, 2.4), totals(window, zone)
    old = window_of(await gateway.post(query))
    gateway.passes(2.3)
    assert window_of(await gateway.post(query)) == old
    gateway.passes(0.2)
    assert window_of(await gateway.post(query)) != old


@pytest.mark.parametrize(("period", "zone", "turn"), TURNS[:3])
async def test_nor_does_it_stand_in_for_the_next_one_in_an_outage(
    period: str, zone: str, turn: str
) -> None:
    gateway, query = before(turn, 0.1, Settings()), totals("{calendar: %s}" % period, zone)
    await gateway.post(query)
    gateway.store.error = StoreUnavailableError("down")
    gateway.passes(0.7)
    body = (await gateway.post(query)).json()
    assert body["errors"][0]["extensions"]["code"] == "BACKEND_UNAVAILABLE"
    assert body["data"] == {"account": {"totals": None}}


async def test_who_asks_after_midnight_does_not_wait_for_the_answer_of_before() -> None:
    gateway, query = before("2026-11-23T00:00+00:00", 0.1), totals("{calendar: TODAY}")
    gateway.store.may_answer = asyncio.Event()
    early = [asyncio.ensure_future(gateway.post(query)) for _ in range(2)]
    await settle()
    gateway.passes(0.3)
    late = [asyncio.ensure_future(gateway.post(query)) for _ in range(2)]
    await settle()
    assert len(gateway.store.plans) == 1
    gateway.store.may_answer.set()
    days = [window_of(each)["start"][8:10] for each in await asyncio.gather(*early, *late)]
    assert days == ["22", "22", "23", "23"]
    assert len(gateway.store.plans) == 2


async def test_nor_for_the_half_of_it_that_the_store_could_answer() -> None:
    gateway = before("2026-11-23T00:00+00:00", 0.1)
    query = "{ wrong: %s %s" % (
        totals("{calendar: TODAY}")[1:-1].replace("alice", ""),
        totals("{calendar: TODAY}")[1:],
    )
    gateway.store.may_answer = asyncio.Event()
    early = asyncio.ensure_future(gateway.post(query))
    await settle()
    gateway.passes(0.3)
    late = asyncio.ensure_future(gateway.post(query))
    await settle()
    gateway.store.may_answer.set()
    bodies = [each.json() for each in await asyncio.gather(early, late)]
    assert [each["data"]["wrong"] for each in bodies] == [None, None]
    days = [each["data"]["account"]["totals"]["window"]["start"][8:10] for each in bodies]
    assert days == ["22", "23"]


async def test_one_panel_of_a_page_that_turns_ends_the_page() -> None:
    gateway = before("2026-11-23T00:00+07:00", 1.0)
    query = """{ account(id: "alice") {
      a: totals(window: {last: {count: 1, unit: DAY}}) { window { end } }
      b: netFlow(window: {calendar: LAST_YEAR}) { window { end } }
      c: timeSeries(window: {calendar: TODAY}, timeZone: "Asia/Ho_Chi_Minh", granularity: DAY) {
        points { start } } } }"""
    await gateway.post(query)
    gateway.passes(1.1)
    fresh = (await gateway.post(query)).json()
    assert "cache" not in fresh["extensions"]
    assert fresh["data"]["account"]["c"]["points"][0]["start"] == "2026-11-23T00:00:00.000+07:00"


async def test_a_window_between_two_instants_does_not_turn() -> None:
    gateway = before("2026-11-23T00:00+00:00", 0.1)
    query = totals('{between: {start: "2026-11-21T00:00:00Z", end: "2026-11-23T00:00:00Z"}}')
    await gateway.post(query)
    gateway.passes(0.3)
    await gateway.post(query)
    assert len(gateway.store.plans) == 1


@pytest.mark.parametrize(("seconds", "max_age"), [(0.4, 0), (1.9, 0), (2.1, 1), (9.0, 8), (99, 60)])
async def test_a_browser_does_not_keep_it_longer_either(seconds: float, max_age: int) -> None:
    gateway = before("2026-11-23T00:00+00:00", seconds)
    response = await gateway.client.get(
        "/graphql",
        params={"query": totals("{calendar: TODAY}")},
        headers={"accept": "application/json"},
    )
    assert response.headers["cache-control"] == f"private, max-age={max_age}"


@pytest.mark.parametrize(
    "fields",
    [
        "pipeline { state }",
        "pipeline { freshnessSeconds }",
        "pipeline { entries }",
        'pipeline { asOf } account(id: "alice") { totals(window: {calendar: TODAY}) { asOf } }',
    ],
)
async def test_the_pipelines_state_is_never_one_from_before_an_outage(fields: str) -> None:
    gateway = Gateway()
    assert "errors" not in (await gateway.post("{ %s }" % fields)).json()
    gateway.store.error = StoreUnavailableError("down")
    gateway.passes(0.3)
    body = (await gateway.post("{ %s }" % fields)).json()
    assert body["errors"][0]["extensions"]["code"] == "BACKEND_UNAVAILABLE"
    assert "cache" not in body.get("extensions", {})


async def test_freshness_is_told_of_when_the_pipeline_was_looked_at() -> None:
    gateway = Gateway()

    class Slow(HeldStore):
        async def fetch(self, plan: object, timeout_s: float) -> object:  # type: ignore[override]
            gateway.passes(4.0)
            return await super().fetch(plan, timeout_s)  # type: ignore[arg-type]

    gateway = Gateway(store=Slow())
    pipeline = (await gateway.ask("{ pipeline { freshnessSeconds } }"))["data"]["pipeline"]
    assert pipeline["freshnessSeconds"] == 5.0


async def test_an_answer_is_as_old_as_its_question() -> None:
    gateway = Gateway(Settings(cache_live_ms=1_000, cache_stale_ms=0))
    gateway.store.may_answer = asyncio.Event()
    asked = asyncio.ensure_future(gateway.post())
    await settle()
    gateway.passes(4.0)
    gateway.store.may_answer.set()
    assert "age" not in (await asked).headers
    await gateway.post()
    assert len(gateway.store.plans) == 2, "four seconds old, and fresh for one"
    assert await gateway.metric('gateway_cache_lookups_total{result="hit"}') == 0
    gateway.store.error = StoreUnavailableError("down")
    gateway.passes(20.0)
    stands_in = await gateway.post()
    assert stands_in.json()["extensions"]["cache"] == {"status": "STALE_IF_ERROR", "ageSeconds": 20}
