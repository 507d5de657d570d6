"""An export that cannot go on breaks off, and another one goes on behind its last row; budgets, places and limits."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest

from gateway.access.caller import Caller, Role
from gateway.analytics.asking import StoreResult
from gateway.analytics.pipeline_plan import ProgressPlan
from gateway.analytics.query_plan import EntriesPlan, QueryPlan
from gateway.errors import (
    DeadlineExceededError,
    OverloadedError,
    PartialAnswerError,
    StoreUnavailableError,
)
from gateway.settings import Settings
from tests.identity_provider import Trust, token
from tests.unit.gateway.exported import Export, export, paid
from tests.unit.gateway.process.listening import until
from tests.unit.gateway.served import TOTALS, Gateway, HeldStore, settle

pytestmark = pytest.mark.anyio
OWNER = Caller("alice", Role.OWNER, frozenset({"alice"}), sees_counterparties=True)
NO_ROWS_KEPT: dict[str, Any] = {"rows_max_bytes": 0}
TWO = NO_ROWS_KEPT | {"export_page_rows": 2}
"""At a time."""
PRICE = 80
"""Points of a page of two, at most."""

ONE_QUERY: dict[str, Any] = {
    "store_queries_least": 1,
    "store_queries_start": 1,
    "store_queries_most": 1,
}
SHED = 'gateway_shed_total{because="store"}'
SMALL = "{ limits { maxFirst } }"


class FailingStore(HeldStore):
    """A store whose n-th page fails."""

    fails_at = 0
    failure: Exception = StoreUnavailableError("gone")
    pages = 0

    async def fetch(self, plan: QueryPlan[Any], timeout_s: float) -> StoreResult[Any]:
        if isinstance(plan, EntriesPlan):
            self.pages += 1
            if self.pages == self.fails_at:
                raise self.failure
        return await super().fetch(plan, timeout_s)


def failing(at: int, failure: Exception, **settings: Any) -> Gateway:
    store = FailingStore(paid(7))
    store.fails_at, store.failure = at, failure
    return Gateway(Settings(**(TWO | settings)), store)


async def price(gateway: Gateway, rows: int) -> int:
    """Of the same page by GraphQL."""
    query = """query ($rows: Int!) { account(id: "alice") {
      transactions(first: $rows, window: {last: {count: 1, unit: DAY}}) { asOf window { start end }
      edges { cursor node { transactionId kind time direction counterpartyId amount } }
      pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } } }"""
    cost: int = (await gateway.ask(query, rows=rows))["extensions"]["cost"]["requested"]
    return cost


@pytest.mark.parametrize(
    ("failure", "status", "code"),
    [
        (StoreUnavailableError("at host-7"), 503, "BACKEND_UNAVAILABLE"),
        (PartialAnswerError("host-7"), 503, "PARTIAL_RESULT"),
        (DeadlineExceededError("of host-7"), 504, "DEADLINE_EXCEEDED"),
        (OverloadedError("at host-7"), 503, "RATE_LIMITED"),
        (ZeroDivisionError("host-7"), 500, "INTERNAL_SERVER_ERROR"),
    ],
)
async def test_before_its_first_row_an_error_is_told_as_the_api_does(
    failure: Exception, status: int, code: str
) -> None:
    gateway = failing(1, failure)
    found = await export(gateway)
    assert (found.status, found.code, found.whole) == (status, code, True)
    assert b"host-7" not in found.body
    assert ("retry-after" in found.told) is isinstance(failure, OverloadedError)


@pytest.mark.parametrize(
    ("failure", "because"),
    [
        (StoreUnavailableError("at host-7"), "store"),
        (PartialAnswerError("host-7"), "store"),
        (DeadlineExceededError("of host-7"), "store"),
        (ZeroDivisionError("host-7"), "cut"),
    ],
)
@pytest.mark.parametrize("at", [2, 3, 4])
async def test_behind_it_the_export_breaks_off_and_another_goes_on(
    at: int, failure: Exception, because: str
) -> None:
    gateway = failing(at, failure)
    first = await export(gateway)
    assert (first.status, first.broken, first.ended) == (200, True, False)
    assert first.rows[-1]["hasNext"] is True
    rest = await export(gateway, after=first.rows[-1]["cursor"])
    assert rest.whole
    assert first.amounts + rest.amounts == [1, 2, 3, 4, 5, 6, 7]
    assert [row["hasNext"] for row in rest.rows][-2:][-1] is False
    assert rest.told["x-window-end"] == first.told["x-window-end"]
    assert await gateway.metric('gateway_exports_ended_total{because="%s"}' % because) == 1  # noqa: UP031
    (cause,) = (
        json.loads(line)
        for line in gateway.log.getvalue().splitlines()
        if "store_or_gateway_error" in line
    )
    assert cause["level"] == "error"


async def test_what_may_be_incomplete_is_not_exported() -> None:
    gateway = Gateway(Settings(**TWO), HeldStore(paid(3), inexact="some were cut"))
    found = await export(gateway)
    assert (found.status, found.code) == (503, "PARTIAL_RESULT")


@pytest.mark.parametrize(("most", "pages"), [(1, 7), (2, 4), (3, 3), (6, 2), (7, 1), (100, 1)])
async def test_one_export_has_so_many_rows_and_the_next_goes_on(most: int, pages: int) -> None:
    gateway = Gateway(Settings(export_rows=most, **TWO), HeldStore(paid(7)))
    amounts: list[int] = []
    asked: dict[str, str] = {}
    for page in range(pages):
        found = await export(gateway, **asked)
        assert found.whole is (page == pages - 1)
        assert found.rows[-1]["hasNext"] is not found.whole
        assert len(found.rows) == (7 - len(amounts) if found.whole else most)
        amounts += found.amounts
        asked = {"after": found.rows[-1]["cursor"]}
    assert amounts == [1, 2, 3, 4, 5, 6, 7]
    ended = 'gateway_exports_ended_total{because="limit"}'
    assert await gateway.metric(ended) == pages - 1


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


async def test_an_export_waits_for_its_place_before_the_store() -> None:
    gateway = failing(3, OverloadedError("full"))
    found = await export(gateway)
    assert (found.amounts, found.ended, found.broken) == ([1, 2, 3, 4], False, False)
    await found.after(1)
    assert found.whole
    assert found.amounts == [1, 2, 3, 4, 5, 6, 7]


async def full(**settings: Any) -> tuple[Gateway, Export, asyncio.Future[Any]]:
    """A store that as much is asked of as may be, by a caller whose export has its first page."""
    gateway = Gateway(Settings(**ONE_QUERY, **TWO, **settings), HeldStore(paid(7)))
    gateway.caller = OWNER
    found = Export(gateway)
    found.takes.clear()
    await settle()
    gateway.store.may_answer = asyncio.Event()
    asked = [TOTALS.replace("count: 1", f"count: {days}") for days in range(1, 9)]
    held = asyncio.gather(*map(gateway.post, asked))
    await settle()
    found.takes.set()
    await found.settled()
    assert (found.amounts, found.broken) == ([1, 2], False)
    return gateway, found, held


async def test_an_export_that_waits_is_not_counted_as_turned_away() -> None:
    gateway, found, held = await full()
    before = await gateway.metric(SHED)
    await found.after(5)
    assert (found.amounts, found.broken) == ([1, 2], False)
    assert gateway.store.may_answer is not None
    gateway.store.may_answer.set()
    await held
    await found.after(1)
    assert found.whole
    assert await gateway.metric(SHED) == before


async def test_one_that_gives_up_or_is_refused_at_once_is_counted_once() -> None:
    gateway, found, held = await full(export_wait_ms=3_000)
    before = await gateway.metric(SHED)
    await found.after(4)
    assert found.broken
    assert await gateway.metric('gateway_exports_ended_total{because="store"}') == 1
    assert await gateway.metric(SHED) == before + 1
    refused = await export(gateway)
    assert (refused.status, refused.code) == (503, "RATE_LIMITED")
    assert await gateway.metric(SHED) == before + 2
    assert gateway.store.may_answer is not None
    gateway.store.may_answer.set()
    await held


async def test_others_do_not_wait_behind_all_pages_of_who_exports() -> None:
    class TurnStore(HeldStore):
        def __init__(self) -> None:
            super().__init__(paid(7))
            self.began: list[str] = []
            self.may_end = asyncio.Semaphore(0)

        async def fetch(self, plan: QueryPlan[Any], timeout_s: float) -> StoreResult[Any]:
            if not isinstance(plan, ProgressPlan):
                self.began.append(type(plan).__name__)
                await self.may_end.acquire()
            return await super().fetch(plan, timeout_s)

    store = TurnStore()
    gateway = Gateway(Settings(**ONE_QUERY, **TWO), store)
    gateway.caller = OWNER
    exports = [Export(gateway), Export(gateway)]
    await settle()
    gateway.caller = replace(OWNER, subject="somebody else")
    asking = asyncio.ensure_future(gateway.ask(TOTALS))
    await settle()
    assert store.began == ["EntriesPlan"]
    store.may_end.release()
    await settle()
    assert store.began == ["EntriesPlan", "TotalsPlan"], "though a page waited before it"
    for _ in range(20):
        store.may_end.release()
        gateway.passes(1.0)  # who was refused comes again then
        await settle()
    assert "errors" not in await asking
    for each in exports:
        assert each.amounts == [1, 2, 3, 4, 5, 6, 7]
        assert each.whole


async def test_it_does_not_wait_for_ever() -> None:
    class FullStore(FailingStore):
        async def fetch(self, plan: QueryPlan[Any], timeout_s: float) -> StoreResult[Any]:
            self.fails_at = self.pages + 1 if self.pages >= 1 else 0
            return await super().fetch(plan, timeout_s)

    store = FullStore(paid(7))
    store.failure = OverloadedError("full")
    gateway = Gateway(Settings(export_wait_ms=5_000, **TWO), store)
    found = await export(gateway)
    await found.after(4)
    assert not found.broken
    await found.after(1)
    assert found.broken
    assert found.amounts == [1, 2]
    assert await gateway.metric('gateway_exports_ended_total{because="store"}') == 1


async def test_so_many_at_once_of_a_caller_and_in_all() -> None:
    settings = Settings(exports=3, exports_per_caller=2, **TWO)
    gateway = Gateway(settings, HeldStore(paid(5)))

    async def held(address: str) -> Export:
        made = Export(gateway, address=address)
        made.takes.clear()
        await settle()
        return made

    first, second = await held("10.0.0.1"), await held("10.0.0.1")
    one_more = await export(gateway)
    assert one_more.whole
    third = Export(gateway, address="10.0.0.1")
    await settle()
    assert (third.status, third.code) == (429, "RATE_LIMITED")
    assert int(third.told["retry-after"]) >= 1
    other = await held("10.0.0.2")
    assert await gateway.metric("gateway_exports ") == 3
    too_many = Export(gateway, address="10.0.0.3")
    await settle()
    assert (too_many.status, too_many.code) == (429, "RATE_LIMITED")
    await first.hang_up()
    again = Export(gateway, address="10.0.0.3")
    await again.settled()
    assert again.whole
    for each in (second, other):
        each.takes.set()
        await each.settled()
        assert each.whole
    assert await gateway.metric("gateway_exports ") == 0


async def test_none_at_all_where_they_are_switched_off() -> None:
    found = await export(Gateway(Settings(exports=0), HeldStore(paid(5))))
    assert (found.status, b"nothing at this path" in found.body) == (404, True)


async def test_who_hangs_up_is_noticed_and_its_store_query_stopped() -> None:
    gateway = Gateway(Settings(**TWO), HeldStore(paid(7)))
    gateway.store.may_answer = asyncio.Event()
    before = Export(gateway)
    await settle()
    await before.hang_up()
    assert (before.status, gateway.store.cancelled) == (0, 1)
    gateway.store.may_answer = None
    meanwhile = Export(gateway)
    meanwhile.takes.clear()
    await settle()
    await meanwhile.hang_up()
    assert meanwhile.serving.done()
    assert await gateway.metric('gateway_exports_ended_total{because="client"}') == 1
    assert await gateway.metric("gateway_exports ") == 0


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


@pytest.mark.parametrize(
    "changed",
    [
        {"accounts": frozenset({"bob"})},
        {"sees_counterparties": False},
    ],
)
async def test_a_right_that_changes_ends_it(changed: dict[str, Any]) -> None:
    gateway = Gateway(Settings(**TWO), HeldStore(paid(7)))
    gateway.caller = OWNER
    found = Export(gateway)
    found.takes.clear()
    await settle()
    found.scope["gateway.caller"] = replace(OWNER, **changed)
    found.takes.set()
    await found.settled()
    assert (found.broken, found.amounts) == (True, [1, 2])
    assert await gateway.metric('gateway_exports_ended_total{because="right"}') == 1


async def test_a_revoked_token_ends_it(trust: Trust) -> None:
    gateway = Gateway(trust.settings(**TWO), HeldStore(paid(9)))
    found = Export(gateway, headers={"authorization": f"Bearer {token()}"})
    found.takes.clear()
    await until(lambda: bool(gateway.store.plans))
    await settle()
    trust.write("revoked.json", {"jti": ["token-1"], "sub": {}})
    gateway.passes(5.0)
    found.takes.set()
    await until(found.serving.done)
    assert (found.broken, found.amounts) == (True, [1, 2])
    refused = Export(gateway, headers={"authorization": f"Bearer {token()}"})
    await until(refused.serving.done)
    assert (refused.status, refused.code) == (401, "UNAUTHENTICATED")
