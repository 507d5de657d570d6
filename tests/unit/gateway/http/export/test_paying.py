"""What an export pays, and how it waits for points and leaves some to other questions."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gateway.settings import Settings
from tests.unit.gateway.exported import export, paid
from tests.unit.gateway.http.export.pages_of_two import TWO, price
from tests.unit.gateway.served import OWNER, Gateway, HeldStore

pytestmark = pytest.mark.anyio

PRICE = 80
"""Points of a page of two, at most."""
SMALL = "{ limits { maxFirst } }"


async def test_a_page_costs_what_it_costs_by_graphql() -> None:
    for rows in (2, 50):
        gateway = Gateway(Settings(export_page_rows=rows), HeldStore(paid(2 * rows - 1)))
        first = await price(gateway, rows)
        before = await gateway.metric("gateway_cost_points_total")
        assert (await export(gateway)).whole
        assert await gateway.metric("gateway_cost_points_total") == before + 2 * first


def budgeted(**settings: Any) -> Gateway:
    """A caller whose whole budget is four pages of two; 2 s bring one more."""
    rate = {"budget_per_s": 40, "budget_burst": 320}
    gateway = Gateway(Settings(**(TWO | rate | settings)), HeldStore(paid(12)))
    gateway.caller = OWNER
    return gateway


async def test_an_export_waits_for_points_and_leaves_half_of_the_budget_to_other_questions() -> (
    None
):
    gateway = budgeted()
    cost = await price(gateway, 2)
    assert cost == PRICE
    await gateway.ask(SMALL)
    gateway.passes(60)
    found = await export(gateway)
    assert [len(found.rows), found.ended] == [6, False]  # 320, 240, 160: below half now
    # 2 s bring a page; what the others paid meanwhile is waited for, too.
    for seconds, rows in ((1, 6), (1, 6), (1, 8), (1, 8), (1, 10)):
        await found.after(seconds)
        assert len(found.rows) == rows
        told = (await gateway.ask(SMALL))["extensions"]["cost"]
        assert told["remaining"] + told["requested"] >= 320 / 2 - PRICE
    await found.after(5)
    assert found.whole
    assert found.amounts == [*range(1, 13)]


async def test_two_exports_of_a_caller_leave_half_of_its_budget_together() -> None:
    gateway = budgeted()
    first = await export(gateway)
    second = await export(gateway)
    assert (len(first.rows), len(second.rows)) == (6, 2)  # 0 points are left, and 2 s bring a page
    for seconds, pages in ((3, 4), (1, 5), (1, 5), (1, 6), (1, 6), (1, 7)):
        await first.after(seconds)
        assert len(first.rows) + len(second.rows) == 2 * pages
    for each in (first, second):
        await each.after(12)
        assert each.whole
        assert each.amounts == [*range(1, 13)]


async def test_a_first_page_that_cannot_be_paid_is_refused_at_once() -> None:
    gateway = budgeted(budget_burst=100)
    assert (await export(gateway)).status == 200
    found = await export(gateway)
    assert (found.status, found.code) == (429, "RATE_LIMITED")
    assert int(found.told["retry-after"]) >= 1
    assert json.loads(found.body)["extensions"]["cost"]["requested"] == PRICE


async def test_who_spends_it_otherwise_has_the_export_break_off_after_a_while() -> None:
    gateway = budgeted(export_wait_ms=10_000)
    found = await export(gateway)
    for _ in range(60):
        while "errors" not in await gateway.ask(SMALL):
            pass
        await found.after(1)
    assert (found.broken, found.ended) == (True, False)
    assert found.amounts == [1, 2, 3, 4, 5, 6]
    assert await gateway.metric('gateway_exports_ended_total{because="budget"}') == 1


async def test_a_process_that_leaves_breaks_off_between_pages_and_while_it_waits() -> None:
    gateway = budgeted()
    waiting = await export(gateway)
    assert (len(waiting.rows), waiting.ended) == (6, False)
    gateway.process.drain.begun = True
    await waiting.after(1)
    assert (waiting.broken, len(waiting.rows)) == (True, 6)
    gateway = Gateway(Settings(**TWO), HeldStore(paid(7)))
    gateway.process.drain.begun = True
    between = await export(gateway)
    assert (between.broken, between.amounts) == (True, [1, 2])
    assert await gateway.metric('gateway_exports_ended_total{because="leaving"}') == 1
