"""An answer that may lack what retention took does not say that it is exact."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.analytics.calendars import DAY_MS
from gateway.analytics.entries import ALL_TIME
from gateway.analytics.model import Interval
from gateway.analytics.pipeline_plan import EntryCountPlan, RejectedPlan
from gateway.analytics.query_plan import EntriesPlan, TotalsPlan
from gateway.settings import Settings
from gateway.store.pinot.kept import FORGOTTEN, forgotten
from gateway.store.pinot.store import PinotStore
from tests.scopes import NETWORK, of
from tests.unit.gateway.fakes import FakeBroker, broker_answer
from tests.unit.gateway.store.pinot.opened import RECEIVED, TOTALS_ROW, TOTALS_TYPES

NOW_MS = 1_800_000_000_000


def totals(start_ms: int) -> TotalsPlan:
    return TotalsPlan(of("alice"), frozenset({RECEIVED}), Interval(start_ms, NOW_MS))


def test_a_window_that_begins_before_what_is_kept_is_told() -> None:
    assert forgotten(totals(NOW_MS - 400 * DAY_MS), 400, NOW_MS) is None
    assert forgotten(totals(NOW_MS - 400 * DAY_MS - 1), 400, NOW_MS) == FORGOTTEN
    assert forgotten(totals(0), 0, NOW_MS) is None


def test_what_is_not_about_entries_of_a_window_is_never_told() -> None:
    assert forgotten(RejectedPlan(NETWORK, Interval(0, 1)), 400, NOW_MS) is None
    assert forgotten(EntryCountPlan(NETWORK), 400, NOW_MS) is None


def test_what_is_looked_for_by_its_id_may_be_forgotten_only_if_it_is_not_found() -> None:
    plan = EntriesPlan(
        of("alice"),
        None,
        None,
        ALL_TIME,
        None,
        2,
        transaction_id="00000000-0000-0000-0000-000000000001",
    )
    assert forgotten(plan, 400, NOW_MS) is None
    assert forgotten(plan, 400, NOW_MS, is_empty=True) == FORGOTTEN
    assert forgotten(replace(plan, transaction_id=None), 400, NOW_MS) == FORGOTTEN


@pytest.mark.anyio
@pytest.mark.parametrize(("kept_days", "told"), [(0, None), (400, FORGOTTEN)])
async def test_the_store_says_so_with_the_answer(kept_days: int, told: str | None) -> None:
    broker = FakeBroker(lambda _: broker_answer([TOTALS_ROW], TOTALS_TYPES))
    settings = Settings(entries_kept_days=kept_days)
    store = PinotStore(settings, session=broker.session(), epoch_ms=lambda: NOW_MS)
    await store.open()
    assert (await store.fetch(totals(0), 5)).inexact == told
