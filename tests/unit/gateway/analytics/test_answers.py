"""What the API answers beyond the first question: comparisons, series, flows, pages, the network."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from decimal import Decimal

import pytest

from gateway.analytics.model import Entry, Interval
from gateway.analytics.pipeline_model import AuditMismatch, AuditReport
from tests.store_cases import transfer
from tests.unit.gateway.api import Api
from tests.unit.gateway.fakes import AS_OF_MS, NOW_MS

pytestmark = pytest.mark.anyio

UUID = "00000000-0000-0000-0000-{:012d}"
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
# NOW_MS is 2025-11-22T08:26:40Z, a Saturday.


def entries(*rows: tuple[str, str, str, int]) -> list[Entry]:
    """Transfers as receiver, sender, amount, age in milliseconds."""
    found: list[Entry] = []
    for number, (receiver, sender, amount, age_ms) in enumerate(rows):
        found += transfer(receiver, sender, UUID.format(number), Decimal(amount), NOW_MS - age_ms)
    return found


DATA = entries(
    ("alice", "bob", "10", 1 * HOUR_MS),
    ("alice", "carol", "30", 2 * HOUR_MS),
    ("alice", "erin", "5", 3 * HOUR_MS),
    ("bob", "alice", "4.5", 4 * HOUR_MS),
    ("alice", "alice", "1", 5 * HOUR_MS),
    ("alice", "bob", "20", 25 * HOUR_MS),
    ("alice", "carol", "20", 26 * HOUR_MS),
    ("alice", "dave", "50", 27 * HOUR_MS),
)


@pytest.fixture
async def api(anyio_backend: str) -> AsyncIterator[Api]:
    made = Api(list(DATA))
    async with made.client:
        yield made


LAST_DAY = "window: {last: {count: 1, unit: DAY}}"


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


async def test_what_is_between_two_accounts(api: Api) -> None:
    measures = "transactionCount transactionAmount"
    window = "window: {last: {count: 2, unit: DAY}}"
    answer = await api.account(
        f"""totals({LAST_DAY}, counterpartyId: "bob", compareTo: PREVIOUS_PERIOD) {{
          {measures} averageAmount counterpartyCount comparison {{ {measures} }} }}
        all: totals({LAST_DAY}) {{ transactionCount counterpartyCount }}
        stranger: totals({LAST_DAY}, counterpartyId: "zoe") {{ {measures} counterpartyCount }}
        netFlow({window}, counterpartyId: "bob") {{
          netAmount received {{ {measures} }} sent {{ {measures} }} }}
        timeSeries({window}, granularity: DAY, fill: NONE, counterpartyId: "bob") {{
          points {{ start transactionAmount }} }}"""
    )
    assert answer["totals"] == {
        "transactionCount": 1,
        "transactionAmount": "10",
        "averageAmount": "10",
        "counterpartyCount": 1,
        "comparison": {"transactionCount": 1, "transactionAmount": "20"},
    }
    assert answer["all"] == {"transactionCount": 4, "counterpartyCount": 4}
    nothing = {"transactionCount": 0, "transactionAmount": "0"}
    assert answer["stranger"] == {**nothing, "counterpartyCount": 0}
    assert answer["netFlow"] == {
        "received": {"transactionCount": 2, "transactionAmount": "30"},
        "sent": {"transactionCount": 1, "transactionAmount": "4.5"},
        "netAmount": "25.5",
    }
    assert answer["timeSeries"]["points"] == [
        {"start": "2025-11-21T00:00:00.000Z", "transactionAmount": "20"},
        {"start": "2025-11-22T00:00:00.000Z", "transactionAmount": "10"},
    ]


async def test_weeks_of_a_series_begin_as_the_caller_says(api: Api) -> None:
    answer = await api.account(
        """timeSeries(window: {lastWithRunning: {count: 2, unit: WEEK}}, granularity: WEEK,
          calendar: {weekStart: SUNDAY}) { points { start transactionCount partial } }"""
    )
    assert answer["timeSeries"]["points"] == [
        {"start": "2025-11-09T00:00:00.000Z", "transactionCount": 0, "partial": False},
        {"start": "2025-11-16T00:00:00.000Z", "transactionCount": 7, "partial": True},
    ]


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


async def test_a_ranking_by_count_breaks_ties_by_amount_then_id(api: Api) -> None:
    answer = await api.account(
        """topCounterparties(window: {last: {count: 1, unit: WEEK}}, orderBy: TRANSACTION_COUNT) {
        rows { accountId transactionCount transactionAmount } }"""
    )
    assert [tuple(row.values()) for row in answer["topCounterparties"]["rows"]] == [
        ("carol", 2, "50"),
        ("bob", 2, "30"),
        ("dave", 1, "50"),
        ("erin", 1, "5"),
        ("alice", 1, "1"),
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


async def test_the_net_flow_counts_a_transfer_to_oneself_on_both_sides(api: Api) -> None:
    answer = await api.account(
        f"""netFlow({LAST_DAY}) {{ received {{ transactionCount transactionAmount }}
        sent {{ transactionCount transactionAmount }} netAmount }}"""
    )
    assert answer["netFlow"] == {
        "received": {"transactionCount": 4, "transactionAmount": "46"},
        "sent": {"transactionCount": 2, "transactionAmount": "5.5"},
        "netAmount": "40.5",
    }
    assert len(api.store.plans) == 1


PAGE = """query ($after: String, $first: Int! = 2) { account(id: "alice") {
  transactions(window: {last: {count: 1, unit: WEEK}}, first: $first, after: $after) {
    window { end } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    edges { cursor node { transactionId direction counterpartyId amount time } } } } }"""


async def test_pages_go_on_where_they_ended_while_entries_arrive(api: Api) -> None:
    seen: list[tuple[str, str]] = []
    after, ends = None, set()
    while True:
        page = (await api.ask(PAGE, after=after))["account"]["transactions"]
        seen += [(e["node"]["transactionId"], e["node"]["direction"]) for e in page["edges"]]
        ends.add(page["window"]["end"])
        if not page["pageInfo"]["hasNextPage"]:
            break
        after = page["pageInfo"]["endCursor"]
        # A new one at the front, and one that comes late between the pages already seen.
        number = 900 + len(seen)
        api.store.entries = [
            *api.store.entries,
            *transfer("alice", "zoe", UUID.format(number), Decimal(1), NOW_MS - 1),
        ]
    mine = [e for e in DATA if e.account_id == "alice"]
    assert len(seen) == len(set(seen))
    assert {each for each in seen if each[0] < UUID.format(900)} == {
        (each.transaction_id, each.direction.value) for each in mine
    }
    assert len(ends) == 1


async def refused_cursor(api: Api, query: str, after: str) -> str:
    """Why a cursor is refused, before anything is fetched."""
    asked = len(api.store.plans)
    body = {"query": query, "variables": {"after": after}}
    (error,) = (await api.client.post("/graphql", json=body)).json()["errors"]
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert len(api.store.plans) == asked
    message: str = error["message"]
    return message


@pytest.mark.parametrize(
    ("was", "is_now"),
    [
        ('"alice"', '"bob"'),
        ("count: 1", "count: 2"),
        ("unit: WEEK", "unit: MONTH"),
        ("after: $after", 'after: $after, timeZone: "Asia/Ho_Chi_Minh"'),
        ("after: $after", "after: $after, direction: SENT"),
        ("after: $after", "after: $after, kind: TRANSFER"),
        ("after: $after", 'after: $after, counterpartyId: "bob"'),
    ],
)
async def test_a_cursor_serves_only_its_own_question(api: Api, was: str, is_now: str) -> None:
    page = (await api.ask(PAGE))["account"]["transactions"]
    query = PAGE.replace(was, is_now)
    assert query != PAGE
    message = await refused_cursor(api, query, page["pageInfo"]["endCursor"])
    assert message.startswith("after: belongs to a question with other")


@pytest.mark.parametrize("start_ms", [1 << 52, True, -(1 << 60), 1e300, None, "0"])
async def test_a_cursor_whose_window_was_moved_never_reaches_the_store(
    api: Api, start_ms: object
) -> None:
    page = (await api.ask(PAGE))["account"]["transactions"]
    ours = base64.urlsafe_b64decode(page["pageInfo"]["endCursor"] + "===")
    fields = json.loads(ours[ours.index(b"[4,") :])
    fields[2:4] = start_ms, (1 << 52) + 1
    for signature in (b"", ours[:16]):
        moved = base64.urlsafe_b64encode(signature + json.dumps(fields).encode()).decode()
        message = await refused_cursor(api, PAGE, moved.rstrip("="))
        assert message.startswith("after: is no cursor of this gateway")


async def test_the_transactions_with_one_counterparty_in_one_direction(api: Api) -> None:
    answer = await api.account(
        """transactions(window: {last: {count: 1, unit: WEEK}}, direction: RECEIVED,
        counterpartyId: "bob") { edges { node { amount time } } pageInfo { hasPreviousPage } }"""
    )
    assert answer["transactions"] == {
        "edges": [
            {"node": {"amount": "10", "time": "2025-11-22T07:26:40.000Z"}},
            {"node": {"amount": "20", "time": "2025-11-21T07:26:40.000Z"}},
        ],
        "pageInfo": {"hasPreviousPage": False},
    }


async def test_the_network(api: Api) -> None:
    answer = await api.ask(
        """{ network { totals(window: {last: {count: 1, unit: WEEK}}) {
          transactionCount transactionAmount counterpartyCount }
        topAccounts(window: {last: {count: 1, unit: WEEK}}, direction: SENT, first: 2) {
          rows { rank accountId transactionAmount } others { counterpartyCount transactionAmount }
          total { counterpartyCount } }
        timeSeries(window: {last: {count: 1, unit: WEEK}}, granularity: WEEK, fill: NONE) {
          points { transactionCount } } } }"""
    )
    assert answer["network"] == {
        "totals": {"transactionCount": 8, "transactionAmount": "140.5", "counterpartyCount": 2},
        "topAccounts": {
            "rows": [
                {"rank": 1, "accountId": "carol", "transactionAmount": "50"},
                {"rank": 2, "accountId": "dave", "transactionAmount": "50"},
            ],
            "others": {"counterpartyCount": 3, "transactionAmount": "40.5"},
            "total": {"counterpartyCount": 5},
        },
        "timeSeries": {"points": [{"transactionCount": 8}]},
    }


@pytest.mark.parametrize(
    ("behind_ms", "state"),
    [(0, "LIVE"), (30_000, "LIVE"), (30_001, "DELAYED"), (60_001, "STALLED")],
)
async def test_the_pipeline_tells_how_far_it_is_behind(
    api: Api, behind_ms: int, state: str
) -> None:
    api.store.as_of_ms = NOW_MS - behind_ms
    answer = await api.ask("{ pipeline { freshnessSeconds state dataSource entries } }")
    assert answer["pipeline"] == {
        "freshnessSeconds": behind_ms / 1000,
        "state": state,
        "dataSource": "PIPELINE",
        "entries": 16,
    }


@pytest.mark.parametrize(
    ("rejected", "transfers", "age_ms", "flood"),
    [
        (0, 0, 0, False),
        (1_000, 0, 1, True),
        (999, 0, 1, False),
        (600, 600, 1, True),
        (600, 601, 1, False),
        (1_000, 0, 60_000, True),
        (1_000, 0, 60_001, False),  # over a minute before asOf
        (1_000, 0, 0, False),  # asOf itself is not answered yet
    ],
)
async def test_a_minute_of_mostly_garbage_is_a_flood(
    rejected: int, transfers: int, age_ms: int, flood: bool
) -> None:
    at_ms = AS_OF_MS - age_ms
    flooded = Api(entries(*(("alice", "bob", "1", NOW_MS - at_ms) for _ in range(transfers))))
    flooded.store.rejected = [("NOT_JSON", at_ms)] * rejected
    async with flooded.client:
        assert await flooded.ask("{ pipeline { rejectFlood } }") == {
            "pipeline": {"rejectFlood": flood}
        }


MISMATCH = AuditMismatch("ENTRIES", "LOST", Interval(NOW_MS - 20_000, NOW_MS - 10_000), 2, ("id",))
SOUND = AuditReport(NOW_MS - 500, NOW_MS - 2_000, NOW_MS - 5_000, 7, 0, 1, ())


@pytest.mark.parametrize(
    ("report", "state"),
    [
        (SOUND, "CONSISTENT"),
        (None, "BEHIND"),
        (replace(SOUND, recorded_at_ms=NOW_MS - 60_001), "BEHIND"),
        (replace(SOUND, through_ms=NOW_MS - 60_001), "BEHIND"),
        (replace(SOUND, through_ms=NOW_MS - 60_000), "CONSISTENT"),
        (replace(SOUND, open_intervals=1, mismatches=(MISMATCH,)), "INCONSISTENT"),
        # Being behind does not make it right again.
        (replace(SOUND, open_intervals=1, through_ms=0), "INCONSISTENT"),
    ],
)
async def test_the_audit_tells_whether_the_tiers_agree(
    api: Api, report: AuditReport | None, state: str
) -> None:
    api.store.audit = report
    answer = await api.ask("{ pipeline { audit { state } } }")
    assert answer["pipeline"]["audit"] == {"state": state}


async def test_the_audit_tells_what_differs_and_through_when_all_agrees(api: Api) -> None:
    api.store.audit = replace(SOUND, open_intervals=1, mismatches=(MISMATCH,))
    answer = await api.ask(
        """{ pipeline { audit { consistentThrough comparedThrough checkedIntervals
        inconsistentIntervals conflictingDuplicates
        openMismatches { start end tier kind count transactionIds } } } }"""
    )
    assert answer["pipeline"]["audit"] == {
        "consistentThrough": "2025-11-22T08:26:35.000Z",
        "comparedThrough": "2025-11-22T08:26:38.000Z",
        "checkedIntervals": 7,
        "inconsistentIntervals": 1,
        "conflictingDuplicates": 1,
        "openMismatches": [
            {
                "start": "2025-11-22T08:26:20.000Z",
                "end": "2025-11-22T08:26:30.000Z",
                "tier": "ENTRIES",
                "kind": "LOST",
                "count": 2,
                "transactionIds": ["id"],
            }
        ],
    }


async def test_sample_data_has_nothing_to_audit(api: Api) -> None:
    api.store.sample_data = True
    answer = await api.ask(
        "{ pipeline { audit { state consistentThrough openMismatches { kind } } } }"
    )
    assert answer["pipeline"]["audit"] == {
        "state": "NOT_APPLICABLE",
        "consistentThrough": None,
        "openMismatches": [],
    }


async def test_limits_are_told(api: Api) -> None:
    answer = await api.ask("{ limits { maxFirst maxAccounts maxPoints maxWindowDays maxDepth } }")
    assert answer["limits"] == {
        "maxFirst": 100,
        "maxAccounts": 50,
        "maxPoints": 1500,
        "maxWindowDays": 3660,
        "maxDepth": 12,
    }


async def test_fragments_aliases_and_directives_change_nothing(api: Api) -> None:
    plain = await api.account(f"totals({LAST_DAY}) {{ transactionAmount }}")
    dressed = await api.ask(
        """query ($no: Boolean! = false) { mine: account(id: "alice") { ...A ... on Account {
          also: totals(window: {last: {count: 1, unit: DAY}}) { transactionAmount } }
          skipped: netFlow(window: {calendar: TODAY}) @include(if: $no) { netAmount } } }
        fragment A on Account {
          totals(window: {last: {count: 1, unit: DAY}}) { ...B } }
        fragment B on Answer { ... on Totals { transactionAmount } }"""
    )
    assert dressed["mine"]["totals"] == dressed["mine"]["also"] == plain["totals"]
    assert "skipped" not in dressed["mine"]
    assert len(api.store.plans) == 2


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
