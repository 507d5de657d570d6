"""Answers around clock changes, asked as clients ask, against the labels of the wall clock itself.

The reference knows nothing of windows and buckets: it asks of single instants what the clock shows.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import httpx
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.analytics.model import Direction, Entry
from gateway.app import create_app
from gateway.settings import Settings
from gateway.store.duckdb.store import DuckdbStore
from tests.patience import PATIENCE_MS
from tests.store_cases import transfer

HOUR_MS = 3_600_000
CHANGES = {
    "America/Sao_Paulo": ["2018-11-04T03:00Z", "2018-02-18T02:00Z"],
    "Pacific/Apia": ["2011-12-30T10:00Z"],
    "Australia/Lord_Howe": ["2026-04-04T15:00Z", "2026-10-03T15:30Z"],
    "Pacific/Chatham": ["2026-04-04T14:00Z", "2026-09-26T14:00Z"],
    "Europe/Berlin": ["2026-03-29T01:00Z", "2026-10-25T01:00Z"],
    "America/Havana": ["2026-11-01T05:00Z"],
    "Africa/Cairo": ["2026-04-23T22:00Z"],
    "Asia/Kathmandu": ["2026-03-01T18:15Z"],
    "Asia/Ho_Chi_Minh": ["2026-02-28T17:00Z"],
    "UTC": ["2024-02-29T00:00Z"],
}
QUERY = """query ($window: WindowInput!, $zone: TimeZone!, $granularity: Granularity!) {
  account(id: "alice") {
    totals(window: $window, timeZone: $zone) { window { start end } transactionAmount }
    timeSeries(window: $window, timeZone: $zone, granularity: $granularity) {
      points { start end partial transactionCount transactionAmount } } } }"""
MINUTES = {"MINUTE": 1, "FIVE_MINUTES": 5, "FIFTEEN_MINUTES": 15, "HOUR": 60}


@dataclass(frozen=True)
class Case:
    """One question at one instant near a clock change."""

    zone: str
    now_ms: int
    entries: list[Entry]
    window: dict[str, Any]
    granularity: str


def label(at_ms: int, granularity: str, zone: str) -> object:
    """What the wall clock or the calendar on the wall shows: equal for one bucket only."""
    local = datetime.fromtimestamp(at_ms / 1000, ZoneInfo(zone))
    day: date = local.date()
    if granularity in MINUTES:
        minute = (local.hour * 60 + local.minute) // MINUTES[granularity]
        return day, minute, local.utcoffset()
    return {
        "DAY": day,
        "WEEK": day - timedelta(days=day.weekday()),
        "MONTH": (day.year, day.month),
        "QUARTER": (day.year, (day.month - 1) // 3),
        "YEAR": day.year,
    }[granularity]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Transfers to alice and a window, both around a change of a zone's clock."""
    zone = draw(st.sampled_from(sorted(CHANGES)))
    change_ms = milliseconds(draw(st.sampled_from(CHANGES[zone])))
    span_ms = draw(st.sampled_from([3 * HOUR_MS, 50 * HOUR_MS, 1500 * HOUR_MS]))
    nearby = st.integers(change_ms - span_ms, change_ms + span_ms)
    amounts = st.decimals(Decimal("0.01"), 10**9, places=2)
    entries: list[Entry] = []
    for number, (at_ms, amount) in enumerate(draw(st.lists(st.tuples(nearby, amounts)))):
        transaction_id = f"00000000-0000-0000-0000-{number:012d}"
        entries += transfer("alice", "bob", transaction_id, amount, at_ms)
    start_ms = draw(st.integers(change_ms - span_ms, change_ms))
    end_ms = draw(st.integers(change_ms + 1, change_ms + span_ms))
    between = {"start": text(start_ms), "end": text(end_ms)}
    period = draw(st.sampled_from(["DAY", "WEEK", "MONTH", "QUARTER", "YEAR"]))
    this, last = (f"THIS_{period}", f"LAST_{period}") if period != "DAY" else ("TODAY", "YESTERDAY")
    windows = [{"between": between}, {"calendar": this}, {"calendar": last}]
    granularity = draw(st.sampled_from([*MINUTES, "DAY", "WEEK", "MONTH", "QUARTER", "YEAR"]))
    return Case(zone, draw(nearby), entries, draw(st.sampled_from(windows)), granularity)


def milliseconds(moment: str) -> int:
    """Epoch milliseconds of RFC 3339 text."""
    return round(datetime.fromisoformat(moment).timestamp() * 1000)


def text(at_ms: int) -> str:
    """RFC 3339 text of epoch milliseconds."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds")


def ask(case: Case) -> dict[str, Any]:
    """The account's part of the answer."""

    async def run() -> dict[str, Any]:
        store = DuckdbStore(epoch_ms=lambda: case.now_ms)
        await store.open()
        store.load(case.entries)
        settings = Settings(log_level="error", deadline_ms=PATIENCE_MS, max_cost=50_000)
        app = create_app(settings, store, epoch_ms=lambda: case.now_ms)
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            variables = {"window": case.window, "zone": case.zone, "granularity": case.granularity}
            body = {"query": QUERY, "variables": variables}
            answer = (await client.post("/graphql", json=body)).json()
        await store.close()
        account: dict[str, Any] = answer["data"]["account"]
        return account

    return asyncio.run(run())


def check_window(case: Case, start_ms: int, end_ms: int) -> None:
    """A calendar period is all instants that show what it shows, and no other."""
    period = case.window["calendar"]
    size = {"TODAY": "DAY", "YESTERDAY": "DAY"}.get(period, period.partition("_")[2])
    shown = label(start_ms, size, case.zone)
    assert shown == label(end_ms - 1, size, case.zone)
    assert shown != label(start_ms - 1, size, case.zone)
    assert shown != label(end_ms, size, case.zone)
    if period in ("YESTERDAY", f"LAST_{size}"):
        assert label(end_ms, size, case.zone) == label(case.now_ms, size, case.zone)
    else:
        assert start_ms <= case.now_ms < end_ms


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(case=cases())
def test_buckets_are_what_the_wall_clock_shows(case: Case) -> None:
    def amount(start_ms: int, end_ms: int) -> Decimal:
        received = (each for each in case.entries if each.direction is Direction.RECEIVED)
        mine = (each for each in received if each.account_id == "alice")
        return sum((e.amount for e in mine if start_ms <= e.event_time_ms < end_ms), Decimal())

    account = ask(case)
    window = account["totals"]["window"]
    start_ms, end_ms = milliseconds(window["start"]), milliseconds(window["end"])
    assert Decimal(account["totals"]["transactionAmount"]) == amount(start_ms, end_ms)
    if "calendar" in case.window:
        check_window(case, start_ms, end_ms)
    if account["timeSeries"] is None:
        return  # more points than are allowed
    points = account["timeSeries"]["points"]
    edges = [milliseconds(each["start"]) for each in points] + [milliseconds(points[-1]["end"])]
    assert (edges[0], edges[-1]) == (start_ms, end_ms)

    def shown(at_ms: int) -> object:
        return label(at_ms, case.granularity, case.zone)

    for point, left_ms, right_ms in zip(points, edges, edges[1:], strict=False):
        assert milliseconds(point["end"]) == right_ms
        assert Decimal(point["transactionAmount"]) == amount(left_ms, right_ms)
        assert shown(left_ms) == shown(right_ms - 1)
        cut = shown(left_ms - 1) == shown(left_ms) or shown(right_ms - 1) == shown(right_ms)
        assert point["partial"] == (cut or right_ms > case.now_ms)
    labels = [shown(edge) for edge in edges[:-1]]
    assert len(set(map(str, labels))) == len(labels)
