"""From a plan to Pinot's SQL, one function a shape; `entries_sql.py` and `clauses.py` are the rest that writes SQL.

A LIMIT stands at every statement's end: Pinot takes 10 if there is none, and it keeps a literal
from being read as a trailing OPTION(...) clause.
"""

# ruff: noqa: S608 - this file is where SQL is put together, out of quoted literals and numbers

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from gateway.analytics.calendars import HOUR_MS
from gateway.analytics.model import Direction, RankBy, TransactionKind
from gateway.analytics.pipeline_plan import AuditPlan, EntryCountPlan, RejectedPlan
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
from gateway.store.pinot import entries_sql
from gateway.store.pinot.clauses import Part, among, equal, hours_in, in_range, none_of, within
from gateway.store.rows.asked import RowsPlan

COUNT, AMOUNT = "COUNT(*)", "SUMPRECISION(amount)"
ESTIMATE = "SUM(amount_estimate)"
"""A sum of doubles, reversals left out: it says where to look, never how much."""
MAX_REASONS = 1_000
MAX_STEPS = 5_000
"""More than there are between the smallest and the largest amount that an event may have: 3,023."""
_TABLE = re.compile(r"(?<= FROM )\w+")
PROGRESS = (
    "SELECT as_of_ms, entry_docs, shared_docs, rejected_docs, erasures, recorded_at_ms, entry_in_memory "
    "FROM pipeline_progress ORDER BY recorded_at_ms DESC LIMIT 1"
)
"""The proof that was recorded last, whatever instants a clock that jumped once had let others tell."""

AUDIT = (
    "SELECT recorded_at_ms, through_ms, consistent_through_ms, checked_intervals, open_intervals, "
    "conflicts, mismatches FROM pipeline_audit ORDER BY recorded_at_ms DESC LIMIT 1"
)


def of_pipeline(statement: str, pipeline: str) -> str:
    """The statement over the tables of the pipeline of this name; empty: of the first one.

    A statement names one table, before any literal: the first place is that place.
    """
    return _TABLE.sub(rf"\g<0>_{pipeline}", statement, count=1) if pipeline else statement


def parts(plan: QueryPlan[object]) -> tuple[Part, ...]:
    """The statements that a plan takes: ragged windows over the whole network take two or three.

    One account's rows are few and lie together, so that one statement is less work than several.
    The edges are a statement each: of `a OR b`, where neither is in a segment, Pinot 0.11's star-tree
    takes all rows (StarTreeUtils drops what is always false, and then the whole OR).
    """
    if not isinstance(plan, TotalsPlan | SlotsPlan):
        return (Part.WHOLE,)
    if isinstance(plan, SlotsPlan) and not _is_hourly(plan):
        return (Part.WHOLE,)
    hours = hours_in(plan.interval)
    if plan.account_ids is not None or hours == plan.interval or hours.start_ms >= hours.end_ms:
        return (Part.WHOLE,)
    before = (Part.BEFORE,) if plan.interval.start_ms < hours.start_ms else ()
    after = (Part.AFTER,) if hours.end_ms < plan.interval.end_ms else ()
    return (Part.HOURS, *before, *after)


def statement(plan: QueryPlan[Any], part: Part = Part.WHOLE) -> str:
    """The SQL of a plan over entries or rejected events."""
    if isinstance(plan, TotalsPlan):
        return totals(plan, part)
    if isinstance(plan, SlotsPlan):
        return slots(plan, part)
    written = _WRITTEN.get(type(plan))
    if written is None:
        raise TypeError(f"no SQL for {type(plan).__name__}")
    return written(plan)


def totals(plan: TotalsPlan, part: Part = Part.WHOLE) -> str:
    """Rows of account id (not over all accounts), direction, kind (if told apart), count, amount."""
    directions = sorted(direction.value for direction in plan.directions)
    columns, groups = ["direction"], len(directions)
    conditions = [among("direction", directions), within(plan.interval, part)]
    if plan.account_ids is not None:
        columns.insert(0, "account_id")
        groups *= len(plan.account_ids)
        conditions.insert(0, among("account_id", sorted(plan.account_ids)))
    conditions += _others(plan)
    if plan.by_kind:
        columns.append("kind")
        groups *= len(TransactionKind)
    return (
        f"SELECT {', '.join(columns)}, {COUNT}, {AMOUNT} FROM account_entries "
        f"WHERE {' AND '.join(conditions)} GROUP BY {', '.join(columns)} LIMIT {groups}"
    )


def distinct(plan: DistinctPlan) -> str:
    """One row of one number."""
    return (
        f"SELECT DISTINCTCOUNT({_grouped(plan)}) FROM account_entries "
        f"WHERE {_where(plan, plan.direction)} LIMIT 1"
    )


def top(plan: TopPlan, cohorts: Iterable[int] | None = None) -> str:
    """Rows of id, count, amount, from the first on; ids of equal measures in the order of their UTF-16 code units.

    `cohorts` keeps only the counterparties of these.
    """
    column, way = _grouped(plan), "ASC" if plan.ascending else "DESC"
    measures = (AMOUNT, COUNT) if plan.order_by is RankBy.TRANSACTION_AMOUNT else (COUNT, AMOUNT)
    conditions = _where(plan, plan.direction)
    if plan.kind is not None:
        conditions += " AND " + equal("kind", plan.kind.value)
    if plan.among is not None:
        conditions += " AND " + among(column, sorted(plan.among))
    if cohorts is not None:
        conditions += f" AND counterparty_cohort IN ({', '.join(map(str, sorted(cohorts)))})"
    return (
        f"SELECT {column}, {COUNT}, {AMOUNT} FROM account_entries WHERE {conditions} "
        f"GROUP BY {column} ORDER BY {measures[0]} {way}, {measures[1]} {way}, {column} ASC "
        f"LIMIT {plan.limit}"
    )


def top_cohorts(plan: TopPlan, limit: int) -> str:
    """Rows of cohort, count, estimated amount."""
    measures = (
        (ESTIMATE, COUNT) if plan.order_by is RankBy.TRANSACTION_AMOUNT else (COUNT, ESTIMATE)
    )
    return (
        f"SELECT counterparty_cohort, {COUNT}, {ESTIMATE} FROM account_entries "
        f"WHERE {_where(plan, plan.direction)} "
        f"GROUP BY counterparty_cohort ORDER BY {measures[0]} DESC, {measures[1]} DESC "
        f"LIMIT {limit}"
    )


def row_count(plan: TopPlan) -> str:
    """One row of how many rows a ranking is over."""
    return f"SELECT {COUNT} FROM account_entries WHERE {_where(plan, plan.direction)} LIMIT 1"


def slots(plan: SlotsPlan, part: Part = Part.WHOLE) -> str:
    """Rows of the slot's first millisecond, what is told apart, count, amount; ascending.

    Of a plan with one origin at most.
    """
    column = "event_hour_ms" if _is_hourly(plan) else "event_time_ms"
    into = f"{column} + {plan.into_slot_ms}" if plan.into_slot_ms else column
    slot = f"{column} - MOD({into}, {plan.slot_ms})"
    if column == "event_hour_ms" and plan.slot_ms == HOUR_MS:
        slot = column
    groups = ", ".join((slot, *told_apart(plan)))
    limit = (plan.interval.end_ms - plan.interval.start_ms) // plan.slot_ms + 2
    conditions = [_where(plan, plan.direction, part), *_others(plan)]
    if plan.among is not None:
        conditions.append(among("counterparty_id", sorted(plan.among)))
    return (
        f"SELECT {groups}, {COUNT}, {AMOUNT} FROM account_entries WHERE {' AND '.join(conditions)} "
        f"GROUP BY {groups} ORDER BY {slot} ASC LIMIT {limit * plan.most_in_a_slot}"
    )


def told_apart(plan: SlotsPlan) -> tuple[str, ...]:
    """The columns that a slot's rows are told apart by."""
    columns = (
        ("direction", plan.direction is None),
        ("kind", plan.by_kind),
        ("counterparty_id", plan.among is not None),
    )
    return tuple(name for name, is_told in columns if is_told)


def amounts(plan: AmountsPlan) -> str:
    """Rows of an amount, one more than may be; any of them."""
    return (
        f"SELECT amount FROM account_entries WHERE {_where(plan, plan.direction)} "
        f"AND kind = 'TRANSFER' LIMIT {plan.limit + 1}"
    )


def steps(plan: StepsPlan) -> str:
    """Rows of step, count; ascending."""
    step = f"CEIL(LN(CAST(amount AS DOUBLE)) / {STEP!r})"  # LN refuses decimals
    return (
        f"SELECT {step}, {COUNT} FROM account_entries WHERE {_where(plan, plan.direction)} "
        f"AND kind = 'TRANSFER' GROUP BY {step} ORDER BY {step} ASC LIMIT {MAX_STEPS}"
    )


def account_rows(plan: RowsPlan, account_ids: Iterable[str]) -> str:
    """Rows as `account_rows` reads them, of some of the plan's accounts, in no order."""
    where = f"{among('account_id', sorted(account_ids))} AND event_time_ms >= {plan.start_ms}"
    if plan.arrived_since_ms is not None:
        # Segments of a time before the column have its default.
        where += f" AND (arrived_ms >= {plan.arrived_since_ms} OR arrived_ms < 1)"
    return (
        "SELECT account_id, counterparty_id, direction, transaction_id, amount, event_time_ms, kind, "
        f"reverses, arrived_ms FROM account_entries WHERE {where} LIMIT {plan.limit}"
    )


def rejected(plan: RejectedPlan) -> str:
    """Rows of reason, count."""
    where = ""
    if plan.interval is not None:
        where = f"WHERE {in_range('event_time_ms', plan.interval)} "
    return (
        f"SELECT reason, {COUNT} FROM transactions_rejected {where}"
        f"GROUP BY reason ORDER BY {COUNT} DESC, reason ASC LIMIT {MAX_REASONS}"
    )


def probe(account_id: str) -> str:
    """A statement that touches all segments of one account's partition, whose size it tells."""
    return f"SELECT COUNT(*) FROM account_entries WHERE {equal('account_id', account_id)} LIMIT 1"


def _is_hourly(plan: SlotsPlan) -> bool:
    """Whether slots begin with hours of UTC, which the star-tree has."""
    return plan.slot_ms % HOUR_MS == 0 and plan.into_slot_ms % HOUR_MS == 0


def _grouped(plan: DistinctPlan | TopPlan) -> str:
    """Who is ranked or counted."""
    return "account_id" if plan.account_ids is None else "counterparty_id"


def _where(
    plan: DistinctPlan | TopPlan | SlotsPlan | AmountsPlan | StepsPlan,
    direction: Direction | None,
    part: Part = Part.WHOLE,
) -> str:
    conditions = [within(plan.interval, part)]
    if direction is not None:
        conditions.insert(0, equal("direction", direction.value))
    if plan.account_ids is not None:
        conditions.insert(0, among("account_id", sorted(plan.account_ids)))
    if not isinstance(plan, SlotsPlan):
        conditions += _outside(plan)
    return " AND ".join(conditions)


def _others(plan: TotalsPlan | SlotsPlan) -> list[str]:
    """Who may stand on the other side."""
    one = plan.counterparty_id
    return [*_outside(plan), *([] if one is None else [equal("counterparty_id", one)])]


def _outside(
    plan: TotalsPlan | DistinctPlan | TopPlan | SlotsPlan | AmountsPlan | StepsPlan,
) -> list[str]:
    if not plan.outside or plan.account_ids is None:
        return []
    return [none_of("counterparty_id", sorted(plan.account_ids))]


_WRITTEN: Mapping[type, Callable[[Any], str]] = {
    DistinctPlan: distinct,
    TopPlan: top,
    AmountsPlan: amounts,
    StepsPlan: steps,
    EntriesPlan: entries_sql.entries,
    MatchesPlan: entries_sql.matches,
    EntryCountPlan: lambda _: "SELECT COUNT(*) FROM account_entries LIMIT 1",
    RejectedPlan: rejected,
    AuditPlan: lambda _: AUDIT,
}
