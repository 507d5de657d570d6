"""Windows that begin or end within an hour: asked in parts, and added up."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from gateway.analytics.model import Direction, Interval, TransactionKind
from gateway.analytics.query_plan import (
    SlotRow,
    SlotsPlan,
    TotalsPlan,
    TotalsRow,
)
from gateway.store.pinot import sql
from tests.scopes import NETWORK, of
from tests.unit.gateway.fakes import FakeBroker, broker_answer
from tests.unit.gateway.store.pinot.opened import RECEIVED, TOP_TYPES, opened


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


@pytest.mark.anyio
async def test_slots_that_begin_anew_are_asked_for_piece_by_piece() -> None:
    hour_ms, day_ms = 3_600_000, 86_400_000
    change_ms = 10 * day_ms - 2 * hour_ms  # the first day of summer time in Berlin, so to speak
    first, second = 9 * day_ms - hour_ms, change_ms

    def answer(statement: str) -> dict[str, Any]:
        if f"event_hour_ms < {change_ms} " in statement:
            assert "MOD(event_hour_ms + 3600000, 86400000)" in statement
            return broker_answer([[first, 2, "1.5"]], ["DOUBLE", "LONG", "STRING"])
        assert f"event_hour_ms >= {change_ms} " in statement
        assert "MOD(event_hour_ms + 7200000, 86400000)" in statement
        rows = [[second, 1, "0.25"], [second + day_ms, 4, "4"]]
        return broker_answer(rows, ["DOUBLE", "LONG", "STRING"])

    broker = FakeBroker(answer)
    store = await opened(broker)
    interval = Interval(first, second + 2 * day_ms)
    plan = SlotsPlan(of("alice"), RECEIVED, interval, day_ms, (first, second))
    assert (await store.fetch(plan, 5)).rows == (
        SlotRow(first, 2, Decimal("1.5")),
        SlotRow(second, 1, Decimal("0.25")),
        SlotRow(second + day_ms, 4, Decimal(4)),
    )
    assert len(broker.statements) == 2
