"""What is believed of a broker's answers, to the digit, and how they are asked for."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from gateway.analytics.model import Direction, Interval, RankBy, TransactionKind
from gateway.analytics.pipeline_model import AuditMismatch, AuditReport
from gateway.analytics.pipeline_plan import AuditPlan, EntryCountPlan, ProgressPlan, RejectedPlan
from gateway.analytics.query_plan import (
    DistinctPlan,
    EntriesPlan,
    QueryPlan,
    SlotRow,
    SlotsPlan,
    TopPlan,
    TotalsPlan,
    TotalsRow,
)
from gateway.analytics.spread_plan import AmountRow, AmountsPlan, StepRow, StepsPlan
from gateway.errors import StoreUnavailableError
from gateway.settings import Settings
from gateway.store.pinot.partition import murmur2, partition_of, some_account_in
from gateway.store.pinot.store import PinotStore
from tests.scopes import NETWORK, of
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

UUID = "0b5ca6cd-6f0f-4bc4-9f79-0d5e5d5f2f6a"


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
async def test_a_passing_weakness_is_asked_past() -> None:
    answers = [
        broker_answer([TOTALS_ROW], TOTALS_TYPES, totalDocs=50),
        broker_answer([TOTALS_ROW], TOTALS_TYPES),
    ]
    store = await opened(FakeBroker(lambda _: answers.pop(0)))
    assert (await store.fetch(TOTALS, 5)).rows[0].transaction_count == 3


@pytest.mark.anyio
async def test_the_network_is_answered_when_all_partitions_are_there() -> None:
    broker = FakeBroker(lambda _: broker_answer([["RECEIVED", 1, "1"]], TOP_TYPES))
    store = await opened(broker)
    result = await store.fetch(TotalsPlan(NETWORK, frozenset({RECEIVED}), WHOLE), 5)
    assert result.rows == (TotalsRow(None, RECEIVED, 1, Decimal(1)),)
    assert len(broker.statements) == 5


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("plan", "types"),
    [
        (TOTALS, TOTALS_TYPES),
        (TopPlan(of("alice"), RECEIVED, WHOLE, RankBy.TRANSACTION_COUNT, 3), TOP_TYPES),
        (DistinctPlan(of("alice"), RECEIVED, WHOLE), ["LONG"]),
        (ProgressPlan(), []),
    ],
)
async def test_every_answer_says_after_how_many_erasures_it_was_made(
    plan: QueryPlan[Any], types: list[str]
) -> None:
    rows = [[1]] if types == ["LONG"] else []
    progress = json.loads(json.dumps(PROGRESS))
    progress["resultTable"]["rows"][0][4] = 7
    store = await opened(FakeBroker(lambda _: broker_answer(rows, types), progress))
    assert (await store.fetch(plan, 5)).erasures == 7
    await store.close()


@pytest.mark.anyio
async def test_slots_come_from_doubles_exactly() -> None:
    answer = broker_answer([[1.7600004e12, 2, "3"]], ["DOUBLE", "LONG", "STRING"])
    store = await opened(FakeBroker(lambda _: answer))
    result = await store.fetch(SlotsPlan(of("a"), RECEIVED, WHOLE, 3_600_000), 5)
    assert result.rows == (SlotRow(1_760_000_400_000, 2, Decimal(3)),)


@pytest.mark.anyio
async def test_slots_are_read_with_what_is_told_apart_in_them() -> None:
    types = ["DOUBLE", "STRING", "STRING", "STRING", "LONG", "STRING"]
    rows = [[3.6e6, "SENT", "REVERSAL", "bob", 2, "-1.50"]]
    store = await opened(FakeBroker(lambda _: broker_answer(rows, types)))
    among = frozenset({"bob"})
    plan = SlotsPlan(of("alice"), None, WHOLE, 3_600_000, by_kind=True, among=among)
    expected = SlotRow(
        3_600_000, 2, Decimal("-1.50"), Direction.SENT, TransactionKind.REVERSAL, "bob"
    )
    assert (await store.fetch(plan, 5)).rows == (expected,)


@pytest.mark.anyio
async def test_amounts_are_read_exactly_and_none_if_they_are_too_many() -> None:
    rows = [["999999999999999999.99999999"], ["0.00000001"]]
    store = await opened(FakeBroker(lambda _: broker_answer(rows, ["BIG_DECIMAL"])))
    plan = AmountsPlan(of("alice"), RECEIVED, WHOLE, 2)
    found = (await store.fetch(plan, 5)).rows
    assert found == tuple(AmountRow(Decimal(amount)) for (amount,) in rows)
    assert (await store.fetch(replace(plan, limit=1), 5)).rows == ()


@pytest.mark.anyio
@pytest.mark.parametrize(("step", "is_one"), [(-7.0, True), (0.5, False)])
async def test_a_step_is_a_double_without_a_fraction(step: object, is_one: bool) -> None:
    store = await opened(FakeBroker(lambda _: broker_answer([[step, 3]], ["DOUBLE", "LONG"])))
    plan = StepsPlan(of("alice"), RECEIVED, WHOLE)
    if is_one:
        assert (await store.fetch(plan, 5)).rows == (StepRow(-7, 3),)
    else:
        with pytest.raises(StoreUnavailableError):
            await store.fetch(plan, 5)


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
async def test_the_audits_newest_report_is_read_with_its_mismatches() -> None:
    said = '[{"tier":"PINOT","kind":"LOST","start_ms":10,"end_ms":20,"count":3,"ids":["a"],"detail":"x"}]'
    broker = FakeBroker(lambda _: broker_answer([[6, 5, 4, 3, 2, 1, said]], AUDIT_TYPES))
    rows = (await (await opened(broker)).fetch(AuditPlan(NETWORK), 5)).rows
    mismatch = AuditMismatch("PINOT", "LOST", Interval(10, 20), 3, ("a",))
    assert rows == (AuditReport(6, 5, 4, 3, 2, 1, (mismatch,)),)


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
