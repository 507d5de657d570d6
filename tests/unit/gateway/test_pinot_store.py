"""The store on Pinot, against a broker that answers by rule: what is believed and what is not."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest

from gateway.errors import (
    DeadlineExceededError,
    GatewayError,
    PartialAnswerError,
    StoreUnavailableError,
)
from gateway.model import Direction, Interval, RankBy, TransactionKind
from gateway.pinot import sql
from gateway.pinot.partition import murmur2, partition_of, some_account_in
from gateway.pinot.store import PinotStore
from gateway.pipeline_model import AuditMismatch, AuditReport
from gateway.query_plan import (
    AuditPlan,
    DistinctPlan,
    EntriesPlan,
    EntryCountPlan,
    GroupRow,
    ProgressPlan,
    RejectedPlan,
    SlotRow,
    SlotsPlan,
    TopPlan,
    TotalsPlan,
    TotalsRow,
)
from gateway.settings import Settings
from tests.scopes import NETWORK, of
from tests.unit.gateway.fakes import AS_OF_MS, PROGRESS, FakeBroker, FakeSession, broker_answer

UUID = "0b5ca6cd-6f0f-4bc4-9f79-0d5e5d5f2f6a"
WHOLE = Interval(0, 1_800_000_000_000)
RECEIVED = Direction.RECEIVED
TOTALS = TotalsPlan(of("alice"), frozenset({RECEIVED}), WHOLE)
TOTALS_ROW = ["alice", "RECEIVED", 3, "1000000.50000000"]
TOTALS_TYPES = ["STRING", "STRING", "LONG", "STRING"]
COHORT_TYPES = ["INT", "LONG", "DOUBLE"]
TOP_TYPES = ["STRING", "LONG", "STRING"]


async def opened(broker: FakeBroker, **changed: Any) -> PinotStore:
    store = PinotStore(Settings(**changed), session=broker.session())
    await store.open()
    return store


@pytest.mark.anyio
async def test_a_complete_answer_is_read_exactly() -> None:
    broker = FakeBroker(lambda _: broker_answer([TOTALS_ROW], TOTALS_TYPES))
    store = await opened(broker)
    result = await store.fetch(TOTALS, 5)
    assert result.rows == (TotalsRow("alice", RECEIVED, 3, Decimal("1000000.5")),)
    assert (result.as_of_ms, result.snapshot, result.inexact) == (AS_OF_MS, 1_000, None)
    assert len(broker.statements) == 1
    assert "timeoutMs=4" in broker.options[0]
    await store.close()


@pytest.mark.anyio
async def test_text_reaches_the_broker_as_it_is() -> None:
    account_id = "50%% %(x)s 'q' *"
    broker = FakeBroker(lambda _: broker_answer([], TOTALS_TYPES))
    store = await opened(broker)
    await store.fetch(TotalsPlan(of(account_id), frozenset({RECEIVED}), WHOLE), 5)
    assert "account_id = '50%% %(x)s ''q'' *'" in broker.statements[0]


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"exceptions": [{"errorCode": 305, "message": "unavailable"}]}, StoreUnavailableError),
        ({"exceptions": [{"errorCode": 250, "message": "timeout"}]}, DeadlineExceededError),
        ({"numServersQueried": 2}, PartialAnswerError),
        ({"partialResult": True}, PartialAnswerError),
        ({"maxRowsInJoinReached": True}, PartialAnswerError),
        ({"totalDocs": 99}, StoreUnavailableError),
        ({"totalDocs": None}, StoreUnavailableError),
        ({"numServersResponded": None}, StoreUnavailableError),
    ],
)
async def test_what_is_not_the_whole_answer_is_an_error(
    changed: dict[str, Any], error: type[GatewayError]
) -> None:
    broker = FakeBroker(lambda _: broker_answer([TOTALS_ROW], TOTALS_TYPES, **changed))
    store = await opened(broker)
    with pytest.raises(error):
        await store.fetch(TOTALS, 5)
    assert len(broker.statements) == (1 if error is DeadlineExceededError else 2)


@pytest.mark.anyio
async def test_a_passing_weakness_is_asked_past() -> None:
    answers = [
        broker_answer([TOTALS_ROW], TOTALS_TYPES, totalDocs=50),
        broker_answer([TOTALS_ROW], TOTALS_TYPES),
    ]
    store = await opened(FakeBroker(lambda _: answers.pop(0)))
    assert (await store.fetch(TOTALS, 5)).rows[0].transaction_count == 3


@pytest.mark.anyio
@pytest.mark.parametrize(
    "rows",
    [
        [["alice", "RECEIVED", 3, 1.5]],
        [["alice", "RECEIVED", 3, "NaN"]],
        [["alice", "RECEIVED", 3, "x"]],
        [["alice", "RECEIVED", 3.5, "1"]],
        [["alice", "RECEIVED", True, "1"]],
        [["alice", "RECEIVED", 3, True]],
    ],
)
async def test_money_is_never_read_from_a_float(rows: list[list[Any]]) -> None:
    types = ["STRING", "STRING", "DOUBLE", "DOUBLE" if rows[0][3] == 1.5 else "STRING"]
    store = await opened(FakeBroker(lambda _: broker_answer(rows, types)))
    with pytest.raises(StoreUnavailableError):
        await store.fetch(TOTALS, 5)


@pytest.mark.anyio
@pytest.mark.parametrize("docs", ["[]", "{}", "nonsense", '["1"]'])
async def test_a_malformed_progress_is_no_progress(docs: str) -> None:
    progress = broker_answer([[AS_OF_MS, docs, 0]], ["LONG", "STRING", "LONG"])
    broker = FakeBroker(lambda _: broker_answer([]), progress=progress)
    store = await opened(broker)
    with pytest.raises(StoreUnavailableError):
        await store.fetch(TOTALS, 5)
    assert broker.statements == []


@pytest.mark.anyio
async def test_without_any_progress_nothing_is_answered() -> None:
    progress = broker_answer([], ["LONG", "STRING"])
    store = await opened(FakeBroker(lambda _: broker_answer([]), progress=progress))
    with pytest.raises(StoreUnavailableError, match="no progress"):
        await store.fetch(ProgressPlan(), 5)


@pytest.mark.anyio
async def test_the_network_is_refused_while_one_partition_is_behind() -> None:
    behind = some_account_in(2, 4)

    def answer(statement: str) -> dict[str, Any]:
        if "probe-" in statement:
            return broker_answer([[0]], ["LONG"], totalDocs=90 if behind in statement else 500)
        return broker_answer([["RECEIVED", 1, "1"]], ["STRING", "LONG", "STRING"], totalDocs=1_590)

    store = await opened(FakeBroker(answer))
    with pytest.raises(StoreUnavailableError, match="90 rows of 100"):
        await store.fetch(TotalsPlan(NETWORK, frozenset({RECEIVED}), WHOLE), 5)


@pytest.mark.anyio
async def test_the_network_is_answered_when_all_partitions_are_there() -> None:
    broker = FakeBroker(lambda _: broker_answer([["RECEIVED", 1, "1"]], TOP_TYPES))
    store = await opened(broker)
    result = await store.fetch(TotalsPlan(NETWORK, frozenset({RECEIVED}), WHOLE), 5)
    assert result.rows == (TotalsRow(None, RECEIVED, 1, Decimal(1)),)
    assert len(broker.statements) == 5


@pytest.mark.anyio
@pytest.mark.parametrize("raised", [StoreUnavailableError("gone"), DeadlineExceededError("slow")])
async def test_a_slow_broker_is_told_from_one_that_is_gone(raised: GatewayError) -> None:
    def fail(_: object) -> bytes:
        raise raised

    store = PinotStore(Settings(), session=FakeSession(fail))
    await store.open()
    with pytest.raises(type(raised)):
        await store.fetch(TOTALS, 5)


ROWS = PROGRESS["resultTable"]["rows"]
TABLE = PROGRESS["resultTable"]


@pytest.mark.anyio
@pytest.mark.parametrize(
    "answer",
    [
        b"<html>",
        b"{}",
        b"[1]",
        b"\xff",
        PROGRESS | {"resultTable": None},
        PROGRESS | {"resultTable": TABLE | {"rows": None}},
        PROGRESS | {"resultTable": TABLE | {"rows": [1]}},
        PROGRESS | {"resultTable": TABLE | {"rows": [ROWS[0][:-1]]}},
        PROGRESS | {"resultTable": TABLE | {"rows": [[*ROWS[0], 1]]}},
        PROGRESS | {"resultTable": TABLE | {"rows": [["1", *ROWS[0][1:]]]}},
        PROGRESS | {"resultTable": {"rows": ROWS}},
        PROGRESS | {"numServersQueried": "1"},
        PROGRESS | {"partialResult": "true"},
        PROGRESS | {"partialResult": 1},
        PROGRESS | {"exceptions": "boom"},
        PROGRESS | {"earlyTerminationReasons": "TIMEOUT"},
        PROGRESS | {"numGroupsLimitReached": 1},
        PROGRESS | {"maxRowsInJoinReached": "true"},
        PROGRESS | {"resultTable": TABLE | {"rows": [[True, *ROWS[0][1:]]]}},
        PROGRESS | {"resultTable": TABLE | {"rows": [[float("nan"), *ROWS[0][1:]]]}},
        PROGRESS | {"resultTable": TABLE | {"rows": [[float("inf"), *ROWS[0][1:]]]}},
    ],
)
async def test_nonsense_from_the_broker_is_unavailable(answer: bytes | dict[str, Any]) -> None:
    content = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
    store = PinotStore(Settings(), session=FakeSession(lambda _: content))
    await store.open()
    with pytest.raises(StoreUnavailableError):
        await store.fetch(TOTALS, 5)


def top(limit: int) -> TopPlan:
    return TopPlan(of("alice"), RECEIVED, WHOLE, RankBy.TRANSACTION_AMOUNT, limit)


@pytest.mark.anyio
async def test_cut_groups_are_said_to_be_inexact() -> None:
    answer = broker_answer([["b", 1, "1"]], TOP_TYPES, numGroupsLimitReached=True)
    store = await opened(FakeBroker(lambda _: answer))
    result = await store.fetch(top(3), 5)
    assert result.rows == (GroupRow("b", 1, Decimal(1)),)
    assert result.inexact is not None


@pytest.mark.anyio
async def test_a_tie_at_the_cut_is_broken_by_code_points() -> None:
    # UTF-16 puts the emoji first; by code points the full-width letter is.
    everything = [["😀", 1, "1"], ["\uff21", 1, "1.0"], ["z", 1, "0.5"]]
    broker = FakeBroker(
        lambda statement: broker_answer(everything[: int(statement.rpartition(" ")[2])], TOP_TYPES)
    )
    store = await opened(broker)
    assert [row.account_id for row in (await store.fetch(top(1), 5)).rows] == ["\uff21"]
    assert [row.account_id for row in (await store.fetch(top(2), 5)).rows] == ["\uff21", "😀"]
    assert [statement.rpartition(" ")[2] for statement in broker.statements] == [
        "1",
        "10",
        "2",
        "20",
    ]


@pytest.mark.anyio
async def test_a_tie_without_such_ids_takes_one_statement() -> None:
    broker = FakeBroker(lambda _: broker_answer([["a", 1, "1"]], TOP_TYPES))
    store = await opened(broker)
    await store.fetch(top(1), 5)
    assert len(broker.statements) == 1


@pytest.mark.anyio
async def test_several_servers_are_asked_again_without_trimming_if_groups_are_many() -> None:
    def answer(statement: str) -> dict[str, Any]:
        if "DISTINCTCOUNT" in statement:
            return broker_answer([[9_000]], ["INT"])
        servers = {"numServersQueried": 2, "numServersResponded": 2}
        if "ORDER BY SUM(amount_estimate)" in statement:
            return broker_answer([[7, 1, 1.0]], COHORT_TYPES, numDocsScanned=10_000, **servers)
        return broker_answer([["b", 1, "1"]], TOP_TYPES, numDocsScanned=10_000, **servers)

    broker = FakeBroker(answer)
    store = await opened(broker)
    result = await store.fetch(top(3), 5)
    assert result.inexact is None
    assert "minServerGroupTrimSize=-1" in broker.options[-1]
    assert "IN (" not in "".join(broker.statements)  # their cohorts prove nothing together


@pytest.mark.anyio
async def test_more_groups_than_the_trim_threshold_are_not_called_exact() -> None:
    def answer(statement: str) -> dict[str, Any]:
        if "DISTINCTCOUNT" in statement:
            return broker_answer([[20_000]], ["INT"])
        if "ORDER BY SUM(amount_estimate)" in statement:
            return broker_answer([[7, 1, 1.0]], COHORT_TYPES, numDocsScanned=30_000)
        return broker_answer([["b", 1, "1"]], TOP_TYPES, numDocsScanned=30_000)

    store = await opened(FakeBroker(answer), pinot_group_trim_threshold=20_000)
    assert (await store.fetch(top(3), 5)).inexact is not None


def large_account(statement: str) -> dict[str, Any]:
    """An account of 57 cohorts, where the first three are what three transfers say."""
    if "ORDER BY SUM(amount_estimate)" in statement:
        cohorts = [[number, 1, 1_000.0 - number] for number in range(57)]
        return broker_answer(cohorts, COHORT_TYPES, numDocsScanned=30_000)
    rows = [["b", 1, "1000"], ["c", 1, "999"], ["d", 1, "998"]]
    return broker_answer(rows, TOP_TYPES, numDocsScanned=30_000)


@pytest.mark.anyio
async def test_an_account_of_many_rows_is_ranked_by_its_first_cohorts() -> None:
    broker = FakeBroker(large_account, row_count=30_000)
    store = await opened(broker)
    result = await store.fetch(top(3), 5)
    assert [row.account_id for row in result.rows] == ["b", "c", "d"]
    assert result.inexact is None
    cohorts, members = broker.statements
    assert "GROUP BY counterparty_cohort" in cohorts
    assert "counterparty_cohort IN (0, 1, 2, " in members


@pytest.mark.anyio
async def test_an_account_that_has_grown_large_is_ranked_by_cohorts_all_the_same() -> None:
    # Few rows when they were counted, many when they were ranked.
    broker = FakeBroker(large_account, row_count=10)
    store = await opened(broker)
    result = await store.fetch(top(3), 5)
    assert [row.account_id for row in result.rows] == ["b", "c", "d"]
    trimmed, _, members = broker.statements
    assert "minSegmentGroupTrimSize=5000" in broker.options[0]
    assert "LIMIT 3" in trimmed
    assert "counterparty_cohort IN (0, 1, 2, " in members


@pytest.mark.anyio
async def test_the_second_ranking_of_a_large_account_ranks_the_remembered_cohorts_only() -> None:
    broker = FakeBroker(large_account, row_count=30_000)
    store = await opened(broker)
    first = await store.fetch(top(3), 5)
    broker.statements.clear()
    assert (await store.fetch(top(3), 5)).rows == first.rows
    assert not any("GROUP BY counterparty_id" in s and "IN (" not in s for s in broker.statements)
    assert not any("LIMIT 57" in statement for statement in broker.statements)


@pytest.mark.anyio
async def test_slots_come_from_doubles_exactly() -> None:
    answer = broker_answer([[1.7600004e12, 2, "3"]], ["DOUBLE", "LONG", "STRING"])
    store = await opened(FakeBroker(lambda _: answer))
    result = await store.fetch(SlotsPlan(of("a"), RECEIVED, WHOLE, 3_600_000), 5)
    assert result.rows == (SlotRow(1_760_000_400_000 // 3_600_000, 2, Decimal(3)),)


@pytest.mark.anyio
async def test_counts_and_reasons() -> None:
    store = await opened(FakeBroker(lambda _: broker_answer([[7]], ["INT"])))
    assert (await store.fetch(DistinctPlan(of("a"), RECEIVED, WHOLE), 5)).rows[0].account_count == 7
    assert (await store.fetch(EntryCountPlan(NETWORK), 5)).rows[0].count == 7
    reasons = broker_answer([["NOT_JSON", 2]], ["STRING", "LONG"], totalDocs=2)
    store = await opened(FakeBroker(lambda _: reasons))
    assert (await store.fetch(RejectedPlan(NETWORK, None), 5)).rows[0].reason == "NOT_JSON"
    reasons["totalDocs"] = 1
    with pytest.raises(StoreUnavailableError, match="1 rows of 2"):
        await store.fetch(RejectedPlan(NETWORK, None), 5)


@pytest.mark.anyio
async def test_an_amount_out_of_a_json_number_keeps_all_its_digits() -> None:
    content = json.dumps(
        broker_answer(
            [["bob", "SENT", UUID, 0.5, 1_700_000_000_000, "TRANSFER", ""]],
            ["STRING", "STRING", "STRING", "BIG_DECIMAL", "LONG", "STRING", "STRING"],
        )
    ).replace("0.5", "999999999999999999.99999999")

    def answer(body: Mapping[str, str]) -> bytes:
        return (json.dumps(PROGRESS) if "pipeline_progress" in body["sql"] else content).encode()

    store = PinotStore(Settings(), session=FakeSession(answer))
    await store.open()
    plan = EntriesPlan(of("alice"), None, None, WHOLE, None, 2)
    (entry,) = (await store.fetch(plan, 5)).rows
    assert entry.amount == Decimal("999999999999999999.99999999")


@pytest.mark.anyio
async def test_ragged_network_windows_are_asked_in_parts_and_added_up() -> None:
    def answer(statement: str) -> dict[str, Any]:
        if "probe-" in statement:
            return broker_answer([[0]], ["LONG"])
        if "event_hour_ms >= 3600000 AND event_hour_ms < 10800000" in statement:
            return broker_answer([["RECEIVED", 2, "1.5"]], TOP_TYPES)
        if "event_time_ms >= 1 AND event_time_ms < 3600000 " in statement:
            return broker_answer([["RECEIVED", 1, "0.25"]], TOP_TYPES)
        assert "event_time_ms >= 10800000 AND event_time_ms < 10800005 " in statement
        return broker_answer([["SENT", 1, "1"]], TOP_TYPES)

    broker = FakeBroker(answer)
    store = await opened(broker)
    plan = TotalsPlan(NETWORK, frozenset(Direction), Interval(1, 3 * 3_600_000 + 5))
    assert set((await store.fetch(plan, 5)).rows) == {
        TotalsRow(None, RECEIVED, 3, Decimal("1.75")),
        TotalsRow(None, Direction.SENT, 1, Decimal(1)),
    }
    # Of an OR that is false of a whole segment, the star-tree would take every row.
    assert " OR " not in "".join(broker.statements)


@pytest.mark.anyio
async def test_kinds_of_the_parts_are_added_up_apart() -> None:
    types = ["STRING", "STRING", "LONG", "STRING"]

    def answer(statement: str) -> dict[str, Any]:
        if "probe-" in statement:
            return broker_answer([[0]], ["LONG"])
        rows = [["RECEIVED", "TRANSFER", 2, "1.5"]]
        if "event_hour_ms" in statement:
            rows.append(["RECEIVED", "REVERSAL", 1, "-0.5"])
        return broker_answer(rows, types)

    store = await opened(FakeBroker(answer))
    plan = TotalsPlan(NETWORK, frozenset({RECEIVED}), Interval(0, 2 * 3_600_000 + 5), by_kind=True)
    assert set((await store.fetch(plan, 5)).rows) == {
        TotalsRow(None, RECEIVED, 4, Decimal(3), TransactionKind.TRANSFER),
        TotalsRow(None, RECEIVED, 1, Decimal("-0.5"), TransactionKind.REVERSAL),
    }


@pytest.mark.parametrize(
    ("start_ms", "end_ms", "parts"),
    [
        (0, 2 * 3_600_000, ["WHOLE"]),
        (0, 2 * 3_600_000 + 1, ["HOURS", "AFTER"]),
        (1, 3 * 3_600_000, ["HOURS", "BEFORE"]),
        (1, 3 * 3_600_000 + 1, ["HOURS", "BEFORE", "AFTER"]),
        (1, 3_600_000 + 1, ["WHOLE"]),
    ],
)
def test_only_edges_that_there_are_take_a_statement(
    start_ms: int, end_ms: int, parts: list[str]
) -> None:
    interval = Interval(start_ms, end_ms)
    for plan in (
        TotalsPlan(NETWORK, frozenset(Direction), interval),
        SlotsPlan(NETWORK, RECEIVED, interval, 3_600_000),
    ):
        assert [part.name for part in sql.parts(plan)] == parts


AUDIT_TYPES = ["LONG"] * 6 + ["STRING"]


@pytest.mark.anyio
async def test_the_audits_newest_report_is_read_with_its_mismatches() -> None:
    said = '[{"tier":"PINOT","kind":"LOST","start_ms":10,"end_ms":20,"count":3,"ids":["a"],"detail":"x"}]'
    broker = FakeBroker(lambda _: broker_answer([[6, 5, 4, 3, 2, 1, said]], AUDIT_TYPES))
    rows = (await (await opened(broker)).fetch(AuditPlan(NETWORK), 5)).rows
    mismatch = AuditMismatch("PINOT", "LOST", Interval(10, 20), 3, ("a",))
    assert rows == (AuditReport(6, 5, 4, 3, 2, 1, (mismatch,)),)


@pytest.mark.anyio
@pytest.mark.parametrize("said", ["", "{}}", "[1]", '[{"tier": "PINOT"}]', "7"])
async def test_a_malformed_report_is_refused(said: str) -> None:
    broker = FakeBroker(lambda _: broker_answer([[6, 5, 4, 3, 2, 1, said]], AUDIT_TYPES))
    with pytest.raises(StoreUnavailableError, match="malformed"):
        await (await opened(broker)).fetch(AuditPlan(NETWORK), 5)


def test_the_partition_is_kafkas() -> None:
    # Values of Kafka's own UtilsTest.testMurmur2.
    known = {
        b"21": -973932308,
        b"foobar": -790332482,
        b"a-little-bit-long-string": -985981536,
        b"a-little-bit-longer-string": -1486304829,
        b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
        b"abc": 479470107,
    }
    for key, value in known.items():
        assert murmur2(key) == value & 0xFFFFFFFF
    assert all(partition_of(some_account_in(each, 4), 4) == each for each in range(4))
