"""What is not believed of a broker's answers: parts, nonsense, floats, and partitions that are behind."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gateway.analytics.pipeline_plan import AuditPlan, ProgressPlan
from gateway.analytics.query_plan import TotalsPlan
from gateway.errors import (
    DeadlineExceededError,
    GatewayError,
    PartialAnswerError,
    StoreUnavailableError,
)
from gateway.settings import Settings
from gateway.store.pinot.partition import some_account_in
from gateway.store.pinot.store import PinotStore
from tests.scopes import NETWORK
from tests.unit.gateway.fakes import AS_OF_MS, PROGRESS, FakeBroker, FakeSession, broker_answer
from tests.unit.gateway.store.pinot.opened import (
    AUDIT_TYPES,
    RECEIVED,
    TOP_TYPES,
    TOTALS,
    TOTALS_ROW,
    TOTALS_TYPES,
    WHOLE,
    opened,
)


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
        ({"numConsumingSegmentsQueried": 2}, StoreUnavailableError),
        ({"numConsumingSegmentsQueried": None}, StoreUnavailableError),
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
    progress = broker_answer(
        [[AS_OF_MS, docs, 0, 0, 0, AS_OF_MS, ""]], ["LONG", "STRING", *["LONG"] * 4, "STRING"]
    )
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


@pytest.mark.anyio
@pytest.mark.parametrize("said", ["", "{}}", "[1]", '[{"tier": "PINOT"}]', "7"])
async def test_a_malformed_report_is_refused(said: str) -> None:
    broker = FakeBroker(lambda _: broker_answer([[6, 5, 4, 3, 2, 1, said]], AUDIT_TYPES))
    with pytest.raises(StoreUnavailableError, match="malformed"):
        await (await opened(broker)).fetch(AuditPlan(NETWORK), 5)


@pytest.mark.anyio
async def test_the_network_is_refused_while_one_partition_is_handed_over() -> None:
    handed_over = some_account_in(3, 4)

    def answer(statement: str) -> dict[str, Any]:
        consuming = (2 if handed_over in statement else 1) if "probe-" in statement else 4
        rows = [["RECEIVED", 1, "1"]]
        return broker_answer(rows, TOP_TYPES, numConsumingSegmentsQueried=consuming)

    store = await opened(FakeBroker(answer))
    with pytest.raises(StoreUnavailableError, match="hands a segment over"):
        await store.fetch(TotalsPlan(NETWORK, frozenset({RECEIVED}), WHOLE), 5)


@pytest.mark.anyio
@pytest.mark.parametrize(("total", "answered"), [(370, True), (369, False)])
async def test_rows_that_two_partitions_count_are_expected_once(total: int, answered: bool) -> None:
    progress = broker_answer(
        [[AS_OF_MS, "[100, 100, 100, 100]", 30, 2, 0, AS_OF_MS, ""]],
        ["LONG", "STRING", *["LONG"] * 4, "STRING"],
    )

    def answer(statement: str) -> dict[str, Any]:
        docs = 100 if "probe-" in statement else total
        return broker_answer([["RECEIVED", 1, "1"]], TOP_TYPES, totalDocs=docs)

    store = await opened(FakeBroker(answer, progress=progress))
    asked = store.fetch(TotalsPlan(NETWORK, frozenset({RECEIVED}), WHOLE), 5)
    if answered:
        assert (await asked).rows
    else:
        with pytest.raises(StoreUnavailableError, match="369 rows of 370"):
            await asked


SAID = "SELECT SUM(amount) FROM account_entries WHERE account_id = 'alice-7' AND x IN ('KeyError')"


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("exception", "told"),
    [
        (
            {"errorCode": 150, "message": f"SQLParsingError:\njava.lang.RuntimeException: {SAID}"},
            "broker exceptions ['150']: SQLParsingError, RuntimeException",
        ),
        (
            {
                "errorCode": 200,
                "message": f"QueryExecutionError: {SAID}\n\tat org.apache.pinot.spi.exception.BadQueryRequestException",
            },
            "broker exceptions ['200']: QueryExecutionError, BadQueryRequestException",
        ),
        ({"errorCode": 305, "message": SAID}, "broker exceptions ['305']"),
        ({"errorCode": SAID, "message": None}, "broker exceptions ['unknown']"),
        ({"message": SAID}, "broker exceptions ['unknown']"),
    ],
)
async def test_what_the_broker_says_is_told_without_the_statement(
    exception: dict[str, Any], told: str
) -> None:
    broker = FakeBroker(lambda _: broker_answer([TOTALS_ROW], TOTALS_TYPES, exceptions=[exception]))
    store = await opened(broker)
    with pytest.raises(StoreUnavailableError) as failed:
        await store.fetch(TOTALS, 5)
    assert str(failed.value) == told


@pytest.mark.anyio
@pytest.mark.parametrize(
    "content", [SAID.encode(), b"\xff" + SAID.encode(), b'{"a": ' + SAID.encode()]
)
async def test_an_answer_that_is_no_json_is_told_without_it(content: bytes) -> None:
    store = PinotStore(Settings(), session=FakeSession(lambda _: content))
    await store.open()
    with pytest.raises(StoreUnavailableError) as failed:
        await store.fetch(TOTALS, 5)
    assert "alice" not in str(failed.value)
