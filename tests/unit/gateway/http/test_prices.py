"""What an operation costs is what it is executed with, whoever asked what before."""

# ruff: noqa: UP031 - documents with braces read better with % than with doubled braces

from __future__ import annotations

import tracemalloc
from typing import Any

import httpx
import pytest
from graphql import get_introspection_query

from gateway.app import create_app
from gateway.settings import Settings
from tests.unit.gateway.fakes import NOW_MS, ReferenceStore

pytestmark = pytest.mark.anyio

DAY = "window: {last: {count: 1, unit: DAY}}"
TOP = (
    "topCounterparties(first: $f, %s) { rows { rank accountId shareOfAmount comparison { isNew } } }"
    % DAY
)
RANKINGS = 'query($f: Int = 100) { account(id: "a") { %s } }' % " ".join(
    f"a{number}: {TOP}" for number in range(15)
)
COMPARED = (
    """query($c: Comparison = PREVIOUS_YEAR) {
  account(id: "a") { totals(%s, compareTo: $c) { exact } } }"""
    % DAY
)
LOOSE = 'query($f: Int) { account(id: "a") { transactions(%s, first: $f) { exact } } }' % DAY
GUARDED = (
    """query($more: Boolean = false) { limits { maxFirst } network @include(if: $more) {
  topAccounts(first: 100, %s, compareTo: PREVIOUS_YEAR) { rows { rank } } } }"""
    % DAY
)


def client(**changed: Any) -> httpx.AsyncClient:
    app = create_app(
        Settings(log_level="error", **changed), ReferenceStore([]), epoch_ms=lambda: NOW_MS
    )
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost")


async def asked(to: httpx.AsyncClient, query: str, variables: Any = None) -> dict[str, Any]:
    answer = await to.post("/graphql", json={"query": query, "variables": variables})
    found: dict[str, Any] = answer.json()
    return found


def code(answer: dict[str, Any]) -> str:
    found: str = answer["errors"][0]["extensions"]["code"]
    return found


def points(answer: dict[str, Any]) -> int:
    found: int = answer["extensions"]["cost"]["requested"]
    return found


async def test_null_is_not_absence_whichever_comes_first() -> None:
    orders: list[tuple[dict[str, None], ...]] = [({"f": None}, {}), ({}, {"f": None})]
    for order in orders:
        fresh = client()
        for variables in order * 2:
            answer = await asked(fresh, RANKINGS, variables)
            if variables:
                assert code(answer) == "BAD_USER_INPUT"
                assert set(answer["data"]["account"].values()) == {None}
            else:
                assert "7233 points" in answer["errors"][0]["message"]
                assert code(answer) == "COST_LIMIT_EXCEEDED"


async def test_a_null_that_means_nothing_costs_nothing() -> None:
    one = client()
    compared = points(await asked(one, COMPARED))
    for variables, price in (({"c": None}, compared - 40), ({"c": "PREVIOUS_PERIOD"}, compared)):
        answer = await asked(one, COMPARED, variables)
        assert "errors" not in answer
        assert points(answer) == price


async def test_an_absent_variable_lets_the_schemas_default_in() -> None:
    for variables in (None, {}, {"other": 1}):
        answer = await asked(client(), LOOSE.replace("$f: Int", "$f: Int = 20"), variables)
        assert points(answer) == 1 + 2 + 66
    rows = LOOSE.replace("exact", "edges { cursor }").replace("$f: Int", "$f: Int! = 7")
    assert points(await asked(client(), rows)) == 1 + 2 + 66 + 1 + 7


async def test_conditions_cost_what_they_let_be_executed() -> None:
    one = client()
    assert code(await asked(one, GUARDED, {"more": None})) == "BAD_USER_INPUT"
    assert points(await asked(one, GUARDED)) == 3
    assert points(await asked(one, GUARDED, {"more": False})) == 3
    assert points(await asked(one, GUARDED, {"more": True})) > 2_900
    for junk in (0, 1, "true", [True], {"a": True}, 1.5):
        assert code(await asked(one, GUARDED, {"more": junk})) == "BAD_USER_INPUT"
    assert points(await asked(one, GUARDED)) == 3


async def test_what_does_not_fit_its_type_is_refused_before_it_is_priced() -> None:
    budget = {"anonymous_budget_per_s": 1, "anonymous_budget_burst": 1_000}
    one = client(**budget)
    await asked(one, LOOSE, {"f": 1})
    left = (await asked(one, "{ __typename }"))["extensions"]["cost"]["remaining"]
    answer = await asked(one, LOOSE, {"f": "1"})
    assert code(answer) == "BAD_USER_INPUT"
    assert "data" not in answer
    after = (await asked(one, "{ __typename }"))["extensions"]["cost"]["remaining"]
    assert left - after == 5 + 1


async def test_a_refusal_costs_by_the_length_of_what_was_read() -> None:
    one = client(anonymous_budget_per_s=1, anonymous_budget_burst=1_000)
    await asked(one, LOOSE, {"f": 1})
    for length, cost in ((1, 5), (16_000, 5), (17_000, 10), (65_000, 20)):
        left = (await asked(one, "{ __typename }"))["extensions"]["cost"]["remaining"]
        assert code(await asked(one, LOOSE, {"f": "x" * length})) == "BAD_USER_INPUT"
        after = (await asked(one, "{ __typename }"))["extensions"]["cost"]["remaining"]
        assert left - after == cost + 1


async def test_a_new_document_costs_by_its_length_refused_or_not() -> None:
    one = client(anonymous_budget_per_s=1, anonymous_budget_burst=2_000)
    for length, more in ((4_096, 0), (4_096 + 64, 1), (40_960, 576)):
        for text, refused in (("{ __typename }", False), ("[" * 50, True)):
            left = (await asked(one, "{ __typename }"))["extensions"]["cost"]["remaining"]
            answer = await asked(one, text.ljust(length))
            after = (await asked(one, "{ __typename }"))["extensions"]["cost"]["remaining"]
            assert ("data" not in answer) is refused
            assert left - after == 20 + more + 1 + (not refused)
        one = client(anonymous_budget_per_s=1, anonymous_budget_burst=2_000)
        await asked(one, "{ __typename }")


async def test_prices_grow_with_limits_that_are_raised() -> None:
    raised = client(max_accounts=200, max_cost=50_000, max_body_bytes=50_000)
    query = "query($ids: [ID!]!) { accounts(ids: $ids) { totals(%s) { exact } } }" % DAY
    few, many = [
        points(await asked(raised, query, {"ids": [f"a{number}" for number in range(count)]}))
        for count in (50, 200)
    ]
    assert many - 2 == 4 * (few - 2) + 5  # 201 values of variables are 5 points


async def test_many_values_in_variables_cost_their_reading() -> None:
    query = "query($i: [ID!]!, $f: Boolean!) { limits { maxFirst } accounts(ids: $i) @include(if: $f) { id } }"
    for count, more in ((0, 0), (50, 0), (58, 0), (83, 1), (958, 36)):
        for declared in (query, "{ limits { maxFirst } }"):
            variables = {"i": ["x"] * count, "f": False}
            assert points(await asked(client(), declared, variables)) == 3 + more


SERIES = """{ account(id: "a") { timeSeries(window: {last: {count: %d, unit: HOUR}}, granularity: MINUTE) {
  points { %s } } } }"""


async def test_an_answer_of_too_many_values_is_refused_before_the_store_is_asked() -> None:
    store = ReferenceStore([])
    app = create_app(Settings(log_level="error"), store, epoch_ms=lambda: NOW_MS)
    one = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost")
    whole = "start end partial transactionCount transactionAmount"
    assert len((await asked(one, SERIES % (24, whole)))["data"]["account"]["timeSeries"]["points"])
    seen = len(store.plans)
    wide = " ".join(f"a{number}: transactionAmount" for number in range(50))
    for query in (SERIES % (24, wide), SERIES % (4, f"{wide} start")):
        refused = await asked(one, query)
        assert code(refused) == "COST_LIMIT_EXCEEDED"
        assert "up to 12000" in refused["errors"][0]["message"]
    assert len(store.plans) == seen
    more = client(max_values=100_000)
    assert "errors" not in await asked(more, SERIES % (24, wide))
    assert (await asked(more, "{ limits { maxValues } }"))["data"] == {
        "limits": {"maxValues": 100_000}
    }


async def test_the_schemas_description_is_told_once_and_not_nine_times() -> None:
    whole = get_introspection_query()
    answer = await asked(client(), whole)
    assert "errors" not in answer
    assert points(answer) == 501
    inner = whole[
        whole.index("{", whole.index("__schema")) : whole.index("fragment FullType")
    ].rstrip()
    body, fragments = inner.removesuffix("}"), whole[whole.index("fragment FullType") :]
    for times in (2, 9):
        many = " ".join(f"s{number}: __schema {body}" for number in range(times))
        answer = await asked(
            client(max_fields=5_000, max_tokens=5_000), f"{{ {many} }} {fragments}"
        )
        assert ("errors" in answer) == (times == 9)
    assert code(answer) == "COST_LIMIT_EXCEEDED"
    assert answer["data"] is None


NESTED = (
    'query($t: Boolean!) { account(id: "a") { %s } } fragment F on Account { netFlow(%s) { exact } }'
    % (
        "... @include(if: $t) { " * 19 + "...F " * 95 + "}" * 19,
        DAY,
    )
)


async def test_conditions_within_conditions_cost_little_to_price() -> None:
    one = client(cache=False)
    await asked(one, NESTED, {"t": False})
    for number in range(8):
        junk: Any = [number, str(number), [number], {"a": number}][number % 4]
        assert code(await asked(one, NESTED, {"t": junk})) == "BAD_USER_INPUT"
        assert points(await asked(one, NESTED, {"t": False, "other": number})) == 3
        assert points(await asked(one, NESTED, {"t": True, "other": number})) == 59


async def test_sets_of_variables_are_kept_nowhere_but_where_they_are_counted() -> None:
    one = client(cache_max_bytes=400_000)
    grown: list[int] = []
    tracemalloc.start()
    try:
        for document in range(4):
            query = "query($i: [ID!]!) { a%d: accounts(ids: $i) { id } }" % document
            for number in range(40):
                ids = [f"{document}-{number}-{each}".ljust(250, "x") for each in range(50)]
                await asked(one, query, {"i": ids})
            grown.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
    # A document with its sets would be 650 KB, without them it is some 50 KB.
    assert grown[-1] - grown[0] < 600_000
