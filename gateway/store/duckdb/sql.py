"""From a plan to DuckDB's SQL with parameters, one function a shape."""

# ruff: noqa: S608 - this file is where SQL is put together, out of constants; values are parameters

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from gateway.analytics.model import RankBy
from gateway.analytics.pipeline_plan import EntryCountPlan, RejectedPlan
from gateway.analytics.query_plan import (
    DistinctPlan,
    EntriesPlan,
    MatchesPlan,
    QueryPlan,
    SlotsPlan,
    TopPlan,
    TotalsPlan,
)
from gateway.analytics.spread_plan import STEP, AmountsPlan, StepsPlan
from gateway.store.rows.asked import RowsPlan

TABLES = """
CREATE TABLE account_entries (
    account_id VARCHAR, counterparty_id VARCHAR, direction VARCHAR,
    transaction_id VARCHAR, amount DECIMAL(38, 8), event_time_ms BIGINT,
    kind VARCHAR, reverses VARCHAR, arrived_ms BIGINT DEFAULT 0
);
CREATE TABLE transactions_rejected (reason VARCHAR, event_time_ms BIGINT);
"""
ENTRY = (
    "account_id, counterparty_id, direction, transaction_id, amount, event_time_ms, kind, reverses"
)
MEASURES = "count(*), coalesce(sum(amount), 0)"


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL and the values of its question marks."""

    text: str
    values: tuple[object, ...] = ()


def statement(plan: QueryPlan[Any]) -> Statement:
    """The SQL of a plan; columns in the order in which its row has them."""
    written = _WRITTEN.get(type(plan))
    if written is None:
        raise TypeError(f"no SQL for {type(plan).__name__}")
    return written(plan)


def totals(plan: TotalsPlan) -> Statement:
    """Account id (null over all), direction, count, amount, kind (null if not told apart)."""
    directions = [direction.value for direction in plan.directions]
    where = "direction IN (SELECT unnest(?)) AND event_time_ms >= ? AND event_time_ms < ?"
    values: tuple[object, ...] = (directions, plan.interval.start_ms, plan.interval.end_ms)
    account_id, kind, groups = "NULL", "NULL", ["direction"]
    if plan.by_kind:
        kind = "kind"
        groups.append(kind)
    if plan.account_ids is not None:
        account_id = "account_id"
        groups.append(account_id)
        where += " AND account_id IN (SELECT unnest(?))"
        values = (*values, sorted(plan.account_ids))
    for condition, value in _others(plan):
        where += f" AND {condition}"
        values = (*values, value)
    return Statement(
        f"SELECT {account_id}, direction, {MEASURES}, {kind} FROM account_entries "
        f"WHERE {where} GROUP BY {', '.join(groups)}",
        values,
    )


def distinct(plan: DistinctPlan) -> Statement:
    """One number."""
    where, values = _where(plan)
    return Statement(
        f"SELECT count(DISTINCT {_grouped(plan)}) FROM account_entries WHERE {where}", values
    )


def top(plan: TopPlan) -> Statement:
    """Id, count, amount; DuckDB orders text by its UTF-8 bytes, which is by code points."""
    column = _grouped(plan)
    way = "ASC" if plan.ascending else "DESC"
    measures = ("3", "2") if plan.order_by is RankBy.TRANSACTION_AMOUNT else ("2", "3")
    where, values = _where(plan)
    if plan.kind is not None:
        where += " AND kind = ?"
        values = (*values, plan.kind.value)
    if plan.among is not None:
        where += f" AND {column} IN (SELECT unnest(?))"
        values = (*values, sorted(plan.among))
    past, place = _past(plan)
    return Statement(
        f"SELECT {column}, {MEASURES} FROM account_entries WHERE {where} "
        f"GROUP BY {column} {past}ORDER BY {measures[0]} {way}, {measures[1]} {way}, 1 ASC LIMIT ?",
        (*values, *place, plan.limit),
    )


def _past(plan: TopPlan) -> tuple[str, tuple[object, ...]]:
    """The condition on groups that a plan's `after` is, and its values."""
    if plan.after is None:
        return "", ()
    sign, column = ">" if plan.ascending else "<", _grouped(plan)
    amount = ("coalesce(sum(amount), 0)", "?::DECIMAL(38, 8)", f"{plan.after.transaction_amount:f}")
    count = ("count(*)", "?", plan.after.transaction_count)
    by_amount = plan.order_by is RankBy.TRANSACTION_AMOUNT
    (first, at, one), (second, then, two) = (amount, count) if by_amount else (count, amount)
    return (
        f"HAVING {first} {sign} {at} OR ({first} = {at} AND "
        f"({second} {sign} {then} OR ({second} = {then} AND {column} > ?))) "
    ), (one, one, two, two, plan.after.account_id)


def slots(plan: SlotsPlan) -> Statement:
    """The slot's first millisecond, count, amount, direction, kind, counterparty (null where not told apart)."""
    where, values = _where(plan)
    if plan.among is not None:
        where += " AND counterparty_id IN (SELECT unnest(?))"
        values = (*values, sorted(plan.among))
    *before, last = plan.pieces
    cases = "".join("WHEN event_time_ms < ? THEN ? " for _ in before)
    into_slot = f"CASE {cases}ELSE ?::BIGINT END" if before else "?::BIGINT"
    ends = [each for piece in before for each in (piece.interval.end_ms, piece.into_slot_ms)]
    direction = "direction" if plan.direction is None else "NULL"
    kind = "kind" if plan.by_kind else "NULL"
    other = "NULL" if plan.among is None else "counterparty_id"
    return Statement(
        f"SELECT event_time_ms - (event_time_ms + {into_slot}) % ?, {MEASURES}, "
        f"{direction}, {kind}, {other} FROM account_entries "
        f"WHERE {where} GROUP BY 1, 4, 5, 6 ORDER BY 1",
        (*ends, last.into_slot_ms, plan.slot_ms, *values),
    )


def amounts(plan: AmountsPlan) -> Statement:
    """Amounts, one more than may be; any of them."""
    where, values = _where(plan)
    return Statement(
        f"SELECT amount FROM account_entries WHERE {where} AND kind = 'TRANSFER' LIMIT ?",
        (*values, plan.limit + 1),
    )


def steps(plan: StepsPlan) -> Statement:
    """Step, count; ascending."""
    where, values = _where(plan)
    return Statement(
        "SELECT ceil(ln(amount::DOUBLE) / ?)::BIGINT, count(*) FROM account_entries "
        f"WHERE {where} AND kind = 'TRANSFER' GROUP BY 1 ORDER BY 1",
        (STEP, *values),
    )


def entries(plan: EntriesPlan) -> Statement:
    """The columns of an entry, in the order of `ENTRY`."""
    where, values = _entries_where(plan)
    columns = ["event_time_ms", "transaction_id", "direction", "kind"]
    if plan.order.by_amount:
        columns.insert(0, "amount")
    if plan.after is not None:
        after = plan.after
        past = "<" if plan.order.descends else ">"
        amount = "?::DECIMAL(38, 8), " if plan.order.by_amount else ""
        where += f" AND ({', '.join(columns)}) {past} ({amount}?, ?, ?, ?)"
        values += [str(after.amount)] if plan.order.by_amount else []
        values += [after.event_time_ms, after.transaction_id]
        values += [after.direction.value, after.kind.value]
    way = "DESC" if plan.order.descends else "ASC"
    order = ", ".join(f"{column} {way}" for column in columns)
    return Statement(
        f"SELECT {ENTRY} FROM account_entries WHERE {where} ORDER BY {order} LIMIT ?",
        (*values, plan.limit),
    )


def account_rows(plan: RowsPlan) -> Statement:
    """The columns of an entry and when it arrived, in no order."""
    where = "account_id IN (SELECT unnest(?)) AND event_time_ms >= ?"
    values: tuple[object, ...] = sorted(plan.account_ids), plan.start_ms
    if plan.arrived_since_ms is not None:
        where += " AND (arrived_ms >= ? OR arrived_ms < 1)"
        values = (*values, plan.arrived_since_ms)
    return Statement(
        f"SELECT {ENTRY}, arrived_ms FROM account_entries WHERE {where} LIMIT ?",
        (*values, plan.limit),
    )


def matches(plan: MatchesPlan) -> Statement:
    """One number."""
    where, values = _entries_where(plan.listed)
    return Statement(f"SELECT count(*) FROM account_entries WHERE {where}", tuple(values))


def _entries_where(plan: EntriesPlan) -> tuple[str, list[object]]:
    conditions = ["account_id = ?", "event_time_ms >= ?", "event_time_ms < ?"]
    values: list[object] = [plan.account_id, plan.interval.start_ms, plan.interval.end_ms]
    given: tuple[tuple[str, object], ...] = (
        ("direction = ?", plan.direction and plan.direction.value),
        ("counterparty_id = ?", plan.counterparty_id),
        ("kind = ?", plan.kind and plan.kind.value),
        ("amount >= ?::DECIMAL(38, 8)", _text(plan.min_amount)),
        ("amount <= ?::DECIMAL(38, 8)", _text(plan.max_amount)),
        ("transaction_id = ?", plan.transaction_id),
        (
            "reverses IN (SELECT unnest(?))",
            None if plan.reverses is None else sorted(plan.reverses),
        ),
    )
    for condition, value in given:
        if value is not None:
            conditions.append(condition)
            values.append(value)
    return " AND ".join(conditions), values


def _text(amount: Decimal | None) -> str | None:
    return None if amount is None else f"{amount:f}"


def rejected(plan: RejectedPlan) -> Statement:
    """Reason, count; most first."""
    where: str = ""
    values: tuple[object, ...] = ()
    if plan.interval is not None:
        where = "WHERE event_time_ms >= ? AND event_time_ms < ? "
        values = (plan.interval.start_ms, plan.interval.end_ms)
    return Statement(
        f"SELECT reason, count(*) FROM transactions_rejected {where}"
        "GROUP BY reason ORDER BY 2 DESC, 1 ASC",
        values,
    )


def _grouped(plan: DistinctPlan | TopPlan) -> str:
    """Who is ranked or counted."""
    return "account_id" if plan.account_ids is None else "counterparty_id"


def _where(
    plan: DistinctPlan | TopPlan | SlotsPlan | AmountsPlan | StepsPlan,
) -> tuple[str, tuple[object, ...]]:
    conditions = ["event_time_ms >= ?", "event_time_ms < ?"]
    values: list[object] = [plan.interval.start_ms, plan.interval.end_ms]
    given: list[tuple[str, object]] = []
    if plan.direction is not None:
        given.append(("direction = ?", plan.direction.value))
    if plan.account_ids is not None and len(plan.account_ids) == 1:
        given.append(("account_id = ?", min(plan.account_ids)))
    elif plan.account_ids is not None:
        given.append(("account_id IN (SELECT unnest(?))", sorted(plan.account_ids)))
    for condition, value in [*given, *_others(plan)]:
        conditions.append(condition)
        values.append(value)
    return " AND ".join(conditions), tuple(values)


def _others(
    plan: TotalsPlan | DistinctPlan | TopPlan | SlotsPlan | AmountsPlan | StepsPlan,
) -> list[tuple[str, object]]:
    """Who may stand on the other side, as conditions with their value."""
    found: list[tuple[str, object]] = []
    if plan.outside and plan.account_ids is not None:
        found.append(("counterparty_id NOT IN (SELECT unnest(?))", sorted(plan.account_ids)))
    if isinstance(plan, TotalsPlan | SlotsPlan) and plan.counterparty_id is not None:
        found.append(("counterparty_id = ?", plan.counterparty_id))
    return found


def _entry_count(_: EntryCountPlan) -> Statement:
    return Statement("SELECT count(*) FROM account_entries")


_WRITTEN: Mapping[type, Callable[[Any], Statement]] = {
    TotalsPlan: totals,
    DistinctPlan: distinct,
    TopPlan: top,
    SlotsPlan: slots,
    AmountsPlan: amounts,
    StepsPlan: steps,
    EntriesPlan: entries,
    MatchesPlan: matches,
    EntryCountPlan: _entry_count,
    RejectedPlan: rejected,
    RowsPlan: account_rows,
}
