"""Which instants answers tell: when a window is final, where pages end, on which clock times are shown."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from gateway.analytics.model import Entry
from gateway.settings import Settings
from stream_jobs.events import dedup_window
from stream_jobs.events.settings import DEFAULT as EVENT_RULES
from tests.store_cases import transfer
from tests.unit.gateway.fakes import AS_OF_MS, NOW_MS
from tests.unit.gateway.served import UUID, Gateway, HeldStore

pytestmark = pytest.mark.anyio

DAY_MS = 86_400_000
PAGE = """query ($after: String, $first: Int! = 2) { account(id: "alice") {
  transactions(window: {last: {count: 1, unit: HOUR}}, first: $first, after: $after) {
    asOf window { start end } pageInfo { hasNextPage endCursor } edges { node { transactionId } } } } }"""


def paid(*ages_ms: int) -> list[Entry]:
    """Transfers to alice, so many milliseconds old."""
    return [
        entry
        for age_ms in ages_ms
        for entry in transfer("alice", "bob", UUID.format(age_ms), Decimal(1), NOW_MS - age_ms)
    ]


async def pages(gateway: Gateway, first: int, late: list[Entry]) -> list[list[int]]:
    """The ages of what each page shows; after the first page what is late arrives."""
    found: list[list[int]] = []
    after = None
    while True:
        answer = (await gateway.ask(PAGE, first=first, after=after))["data"]["account"]
        page: dict[str, Any] = answer["transactions"]
        found.append([int(each["node"]["transactionId"][-12:]) for each in page["edges"]])
        if len(found) == 1:
            assert page["window"]["end"] <= max(page["asOf"], page["window"]["start"])
            gateway.store.entries = [*gateway.store.entries, *late]
            gateway.store.as_of_ms = NOW_MS
        if not page["pageInfo"]["hasNextPage"]:
            return found
        after = page["pageInfo"]["endCursor"]


@pytest.mark.parametrize("first", [1, 2, 3])
async def test_what_arrives_between_rows_younger_than_as_of_is_on_no_page_by_halves(
    first: int,
) -> None:
    # `asOf` is a second back: of what is younger some is there, and some comes later.
    old = [1_001, 2_000, 3_000, 50_000, 60_000]
    gateway = Gateway(store=HeldStore(paid(10, 500, 900, 999, *old)))
    found = await pages(gateway, first, late=paid(200, 600, 950))
    assert [each for page in found for each in page] == old
    assert all(len(page) == first for page in found[:-1])
    gateway.passes(1)
    again = await pages(gateway, 100, late=[])
    assert again == [[10, 200, 500, 600, 900, 950, 999, *old]]


async def test_a_page_of_a_window_that_as_of_has_not_reached_is_empty() -> None:
    gateway = Gateway(store=HeldStore(paid(10, 20, 30), as_of_ms=NOW_MS - 2 * DAY_MS))
    assert await pages(gateway, 2, late=[]) == [[]]
    assert len(gateway.store.plans) == 1


async def test_a_page_of_a_window_that_ended_ends_with_it() -> None:
    gateway = Gateway(store=HeldStore(paid(3_000, DAY_MS), as_of_ms=NOW_MS))
    query = """{ account(id: "alice") { transactions(window: {between:
      {start: "2025-11-20T00:00:00Z", end: "2025-11-22T00:00:00Z"}}) { window { end } } } }"""
    page = (await gateway.ask(query))["data"]["account"]["transactions"]
    assert page["window"]["end"] == "2025-11-22T00:00:00.000Z"


@pytest.mark.parametrize(
    ("zone", "time"),
    [
        ("UTC", "2025-11-22T08:26:37.000Z"),
        ("Asia/Ho_Chi_Minh", "2025-11-22T15:26:37.000+07:00"),
        ("America/St_Johns", "2025-11-22T04:56:37.000-03:30"),
    ],
)
async def test_transactions_tell_their_times_on_the_clock_that_was_asked_for(
    zone: str, time: str
) -> None:
    gateway = Gateway(store=HeldStore(paid(3_000)))
    query = """{ account(id: "alice") { transactions(timeZone: "%s",
      window: {last: {count: 1, unit: HOUR}}) { edges { node { time } } } } }"""
    page = (await gateway.ask(query % zone))["data"]["account"]["transactions"]
    assert page["edges"][0]["node"]["time"] == time


FINAL = """query ($w: WindowInput!) {
  account(id: "alice") {
    totals(window: $w, compareTo: PREVIOUS_YEAR) {
      window { end final } comparison { window { final } } }
    topCounterparties(window: $w) { window { final } }
    timeSeries(window: $w, granularity: YEAR) { window { final } }
    netFlow(window: $w) { window { final } }
    transactions(window: $w) { window { final } } }
  network { topAccounts(window: $w) { window { final } } }
  limits { finalAfterDays } }"""


@pytest.mark.parametrize(
    ("days", "age_ms", "final"),
    [
        (45, 45 * DAY_MS, True),
        (45, 45 * DAY_MS - 1, False),
        (45, 400 * DAY_MS, True),
        (1, DAY_MS, True),
        (1, 0, False),
        (0, 3_000 * DAY_MS, False),
    ],
)
async def test_a_window_is_final_once_nothing_can_come_for_it(
    days: int, age_ms: int, final: bool
) -> None:
    gateway = Gateway(Settings(final_after_days=days))
    end_ms = AS_OF_MS - age_ms
    window = {"between": {"start": moment(end_ms - 3_000), "end": moment(end_ms)}}
    data = (await gateway.ask(FINAL, w=window))["data"]
    account = data["account"]
    assert data["limits"]["finalAfterDays"] == (days or None)
    for each in (*account.values(), data["network"]["topAccounts"]):
        assert each["window"]["final"] is final
    a_year_before = days > 0 and age_ms + 365 * DAY_MS >= days * DAY_MS
    assert account["totals"]["comparison"]["window"]["final"] is a_year_before


async def test_what_is_not_over_is_not_final() -> None:
    gateway = Gateway(Settings(final_after_days=1))
    for window in ({"calendar": "TODAY"}, {"last": {"count": 1, "unit": "YEAR"}}):
        data = (await gateway.ask(FINAL, w=window))["data"]
        assert data["account"]["totals"]["window"]["final"] is False


def test_by_default_a_window_waits_for_all_that_the_event_rules_let_come_late() -> None:
    late = EVENT_RULES.occurred_back + dedup_window.DEFAULT_WINDOW + dedup_window.DEFAULT_SLACK
    assert Settings().final_after_days * DAY_MS >= late.total_seconds() * 1000


def moment(epoch_ms: int) -> str:
    """RFC 3339 text."""
    return datetime.fromtimestamp(epoch_ms / 1000, UTC).isoformat(timespec="milliseconds")
