"""Totals and rankings beside those of an earlier window."""

from __future__ import annotations

import pytest

from tests.unit.gateway.analytics.few_transfers import LAST_DAY
from tests.unit.gateway.api import Api

pytestmark = pytest.mark.anyio


async def test_totals_with_the_period_before(api: Api) -> None:
    answer = await api.account(
        f"""totals({LAST_DAY}, compareTo: PREVIOUS_PERIOD) {{
        transactionCount transactionAmount averageAmount counterpartyCount
        comparison {{ window {{ start }} transactionCount transactionAmount
          transactionCountChange transactionAmountChange
          transactionCountChangeRatio transactionAmountChangeRatio }} }}"""
    )
    assert answer["totals"] == {
        "transactionCount": 4,
        "transactionAmount": "46",
        "averageAmount": "11.5",
        "counterpartyCount": 4,
        "comparison": {
            "window": {"start": "2025-11-20T08:26:40.000Z"},
            "transactionCount": 3,
            "transactionAmount": "90",
            "transactionCountChange": 1,
            "transactionAmountChange": "-44",
            "transactionCountChangeRatio": "0.33333333",
            "transactionAmountChangeRatio": "-0.48888889",
        },
    }


async def test_a_running_day_is_compared_with_as_much_of_the_day_before(api: Api) -> None:
    fields = """transactionCount comparison { window { start end } transactionCount } """
    answer = await api.account(
        f"""whole: totals(window: {{calendar: TODAY}}, compareTo: PREVIOUS_PERIOD) {{ {fields} }}
        toDate: totals(window: {{calendar: TODAY}}, compareTo: PREVIOUS_PERIOD_TO_DATE) {{ {fields} }}
        own: totals(window: {{calendar: TODAY}}, compareWindow: {{between:
          {{start: "2025-11-21T06:00:00Z", end: "2025-11-21T07:00:00Z"}}}}) {{ {fields} }}"""
    )
    found = {name: each["comparison"] for name, each in answer.items()}
    assert [each["transactionCount"] for each in answer.values()] == [4, 4, 4]
    start = "2025-11-21T00:00:00.000Z"
    assert found["whole"]["window"] == {"start": start, "end": "2025-11-22T00:00:00.000Z"}
    assert found["toDate"]["window"] == {"start": start, "end": "2025-11-21T08:26:40.000Z"}
    assert [found[name]["transactionCount"] for name in ("whole", "toDate", "own")] == [3, 3, 1]


async def test_a_ranking_tells_the_window_that_it_is_compared_with(api: Api) -> None:
    answer = await api.account(
        f"""with: topCounterparties({LAST_DAY}, compareWindow: {{last: {{count: 2, unit: DAY}}}}) {{
          comparisonWindow {{ start end }}
          rows {{ accountId comparison {{ previousRank previousTransactionAmount }} }} }}
        without: topCounterparties({LAST_DAY}) {{ comparisonWindow {{ start }} }}"""
    )
    assert answer["without"] == {"comparisonWindow": None}
    assert answer["with"]["comparisonWindow"] == {
        "start": "2025-11-20T08:26:40.000Z",
        "end": "2025-11-22T08:26:40.000Z",
    }
    ranks = {row["accountId"]: row["comparison"] for row in answer["with"]["rows"]}
    assert ranks["carol"] == {"previousRank": 1, "previousTransactionAmount": "50"}
    assert ranks["bob"] == {"previousRank": 3, "previousTransactionAmount": "30"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            "compareTo: PREVIOUS_YEAR, compareWindow: {calendar: TODAY}",
            "compareWindow: give either compareTo or compareWindow, not both",
        ),
        ("calendar: {yearStartMonth: 13}", "calendar.yearStartMonth: must be 1 to 12, not 13"),
        (
            "compareWindow: {lastFull: {count: 0, unit: DAY}}",
            "window.lastFull.count: must be 1 or more",
        ),
    ],
)
async def test_what_cannot_be_compared_says_so_before_anything_is_fetched(
    api: Api, arguments: str, message: str
) -> None:
    query = f'{{ account(id: "alice") {{ totals({LAST_DAY}, {arguments}) {{ exact }} }} }}'
    body = (await api.client.post("/graphql", json={"query": query})).json()
    (error,) = body["errors"]
    assert (error["extensions"]["code"], error["message"]) == ("BAD_USER_INPUT", message)
    assert api.store.plans == []


async def test_ratios_to_nothing_are_null(api: Api) -> None:
    answer = await api.account(
        f"""totals({LAST_DAY}, compareTo: PREVIOUS_YEAR) {{ comparison {{
        transactionCount transactionCountChangeRatio transactionAmountChangeRatio }} }}"""
    )
    assert answer["totals"]["comparison"] == {
        "transactionCount": 0,
        "transactionCountChangeRatio": None,
        "transactionAmountChangeRatio": None,
    }


async def test_a_ranking_with_where_each_row_stood_before(api: Api) -> None:
    answer = await api.account(
        f"""topCounterparties({LAST_DAY}, first: 3, compareTo: PREVIOUS_PERIOD) {{
        rows {{ rank accountId comparison {{ previousRank rankChange isNew
          previousTransactionCount previousTransactionAmount }} }} }}"""
    )
    nothing = {"previousTransactionCount": 0, "previousTransactionAmount": "0"}
    twenty = {"previousTransactionCount": 1, "previousTransactionAmount": "20"}
    assert answer["topCounterparties"]["rows"] == [
        {
            "rank": 1,
            "accountId": "carol",
            "comparison": {"previousRank": 3, "rankChange": 2, "isNew": False} | twenty,
        },
        {
            "rank": 2,
            "accountId": "bob",
            "comparison": {"previousRank": 2, "rankChange": 0, "isNew": False} | twenty,
        },
        {
            "rank": 3,
            "accountId": "erin",
            "comparison": {"previousRank": None, "rankChange": None, "isNew": True} | nothing,
        },
    ]
