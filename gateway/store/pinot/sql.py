"""From a plan to Pinot's SQL, one function a shape: the only file that writes SQL for Pinot.

A LIMIT stands at every statement's end: Pinot takes 10 if there is none, and it keeps a literal
from being read as a trailing OPTION(...) clause. Windows that begin and end on a UTC hour filter on
`event_hour_ms`, which the star-tree has.
"""

# ruff: noqa: S608 - this file is where SQL is put together, out of quoted literals and numbers

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from decimal import Decimal
from enum import Enum
from urllib.parse import quote

from gateway.analytics.calendars import HOUR_MS
from gateway.analytics.model import Direction, Interval, RankBy, TransactionKind
from gateway.analytics.query_plan import (
    AuditPlan,
    DistinctPlan,
    EntriesPlan,
    EntryCountPlan,
    EntryKey,
    MatchesPlan,
    QueryPlan,
    RejectedPlan,
    SlotsPlan,
    TopPlan,
    TotalsPlan,
)
from gateway.store.rows.asked import RowsPlan

COUNT, AMOUNT = "COUNT(*)", "SUMPRECISION(amount)"
ESTIMATE = "SUM(amount_estimate)"
"""A sum of doubles, reversals left out: it says where to look, never how much."""
MAX_REASONS = 1_000
_TABLE = re.compile(r"(?<= FROM )\w+")
PROGRESS = (
    "SELECT as_of_ms, entry_docs, shared_docs, rejected_docs FROM pipeline_progress "
    "ORDER BY recorded_at_ms DESC LIMIT 1"
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


def literal(text: str) -> str:
    """A string as Pinot's SQL writes it, whatever the version.

    Older versions unescape twice, which makes one quote of two in a row (RequestUtils of 0.11;
    since then a setting). Such text goes percent-encoded into a function that the broker evaluates
    before it looks at the filter.
    """
    if "''" in text:
        return f"decodeUrl('{quote(text, safe='')}')"
    return "'" + text.replace("'", "''") + "'"


class Part(Enum):
    """Which part of an interval a statement is about."""

    WHOLE = "all of it"
    HOURS = "the whole hours inside it, which the star-tree answers"
    BEFORE = "what stands before these hours"
    AFTER = "what stands after them"


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
    is_network = (plan.account_ids if isinstance(plan, TotalsPlan) else plan.account_id) is None
    hours = _hours(plan.interval)
    if not is_network or hours == plan.interval or hours.start_ms >= hours.end_ms:
        return (Part.WHOLE,)
    before = (Part.BEFORE,) if plan.interval.start_ms < hours.start_ms else ()
    after = (Part.AFTER,) if hours.end_ms < plan.interval.end_ms else ()
    return (Part.HOURS, *before, *after)


def statement(plan: QueryPlan[object], part: Part = Part.WHOLE) -> str:
    """The SQL of a plan over entries or rejected events."""
    match plan:
        case TotalsPlan():
            return totals(plan, part)
        case DistinctPlan():
            return distinct(plan)
        case TopPlan():
            return top(plan)
        case SlotsPlan():
            return slots(plan, part)
        case EntriesPlan():
            return entries(plan)
        case MatchesPlan():
            return matches(plan)
        case EntryCountPlan():
            return "SELECT COUNT(*) FROM account_entries LIMIT 1"
        case RejectedPlan():
            return rejected(plan)
        case AuditPlan():
            return AUDIT
    raise TypeError(f"no SQL for {type(plan).__name__}")


def totals(plan: TotalsPlan, part: Part = Part.WHOLE) -> str:
    """Rows of account id (not over all accounts), direction, kind (if told apart), count, amount."""
    directions = sorted(direction.value for direction in plan.directions)
    columns, groups = ["direction"], len(directions)
    conditions = [_among("direction", directions), _within(plan.interval, part)]
    if plan.account_ids is not None:
        columns.insert(0, "account_id")
        groups *= len(plan.account_ids)
        conditions.insert(0, _among("account_id", sorted(plan.account_ids)))
    if plan.counterparty_id is not None:
        conditions.append(_equal("counterparty_id", plan.counterparty_id))
    if plan.by_kind:
        columns.append("kind")
        groups *= len(TransactionKind)
    return (
        f"SELECT {', '.join(columns)}, {COUNT}, {AMOUNT} FROM account_entries "
        f"WHERE {' AND '.join(conditions)} GROUP BY {', '.join(columns)} LIMIT {groups}"
    )


def distinct(plan: DistinctPlan) -> str:
    """One row of one number."""
    column = "counterparty_id" if plan.account_id is not None else "account_id"
    return (
        f"SELECT DISTINCTCOUNT({column}) FROM account_entries "
        f"WHERE {_scope(plan.account_id, plan.direction, plan.interval)} LIMIT 1"
    )


def top(plan: TopPlan, cohorts: Iterable[int] | None = None) -> str:
    """Rows of id, count, amount; ids of equal measures in the order of their UTF-16 code units.

    `cohorts` keeps only the counterparties of these.
    """
    column = "counterparty_id" if plan.account_id is not None else "account_id"
    measures = (AMOUNT, COUNT) if plan.order_by is RankBy.TRANSACTION_AMOUNT else (COUNT, AMOUNT)
    conditions = _scope(plan.account_id, plan.direction, plan.interval)
    if plan.among is not None:
        conditions += " AND " + _among(column, sorted(plan.among))
    if cohorts is not None:
        conditions += f" AND counterparty_cohort IN ({', '.join(map(str, sorted(cohorts)))})"
    return (
        f"SELECT {column}, {COUNT}, {AMOUNT} FROM account_entries WHERE {conditions} "
        f"GROUP BY {column} ORDER BY {measures[0]} DESC, {measures[1]} DESC, {column} ASC "
        f"LIMIT {plan.limit}"
    )


def top_cohorts(plan: TopPlan, limit: int) -> str:
    """Rows of cohort, count, estimated amount."""
    measures = (
        (ESTIMATE, COUNT) if plan.order_by is RankBy.TRANSACTION_AMOUNT else (COUNT, ESTIMATE)
    )
    return (
        f"SELECT counterparty_cohort, {COUNT}, {ESTIMATE} FROM account_entries "
        f"WHERE {_scope(plan.account_id, plan.direction, plan.interval)} "
        f"GROUP BY counterparty_cohort ORDER BY {measures[0]} DESC, {measures[1]} DESC "
        f"LIMIT {limit}"
    )


def row_count(plan: TopPlan) -> str:
    """One row of how many rows a ranking is over."""
    return (
        f"SELECT {COUNT} FROM account_entries "
        f"WHERE {_scope(plan.account_id, plan.direction, plan.interval)} LIMIT 1"
    )


def slots(plan: SlotsPlan, part: Part = Part.WHOLE) -> str:
    """Rows of the slot's first millisecond, count, amount; ascending. Of a plan with one origin at most."""
    column = "event_hour_ms" if _is_hourly(plan) else "event_time_ms"
    into = f"{column} + {plan.into_slot_ms}" if plan.into_slot_ms else column
    slot = f"{column} - MOD({into}, {plan.slot_ms})"
    if column == "event_hour_ms" and plan.slot_ms == HOUR_MS:
        slot = column
    limit = (plan.interval.end_ms - plan.interval.start_ms) // plan.slot_ms + 2
    where = _scope(plan.account_id, plan.direction, plan.interval, part)
    if plan.counterparty_id is not None:
        where += f" AND {_equal('counterparty_id', plan.counterparty_id)}"
    return (
        f"SELECT {slot}, {COUNT}, {AMOUNT} FROM account_entries WHERE {where} "
        f"GROUP BY {slot} ORDER BY {slot} ASC LIMIT {limit}"
    )


def entries(plan: EntriesPlan) -> str:
    """Rows of counterparty id, direction, transaction id, amount, time, kind, reversed; in the plan's order."""
    columns = ["event_time_ms", "transaction_id", "direction", "kind"]
    if plan.order.by_amount:
        columns.insert(0, "amount")
    where = _entries_where(plan)
    if plan.after is not None:
        where += f" AND {_past(plan.after, columns, '<' if plan.order.descends else '>')}"
    way = "DESC" if plan.order.descends else "ASC"
    return (
        "SELECT counterparty_id, direction, transaction_id, amount, event_time_ms, kind, reverses "
        f"FROM account_entries WHERE {where} "
        f"ORDER BY {', '.join(f'{column} {way}' for column in columns)} LIMIT {plan.limit}"
    )


def account_rows(plan: RowsPlan, account_ids: Iterable[str]) -> str:
    """Rows as `account_rows` reads them, of some of the plan's accounts, in no order."""
    where = f"{_among('account_id', sorted(account_ids))} AND event_time_ms >= {plan.start_ms}"
    if plan.arrived_since_ms is not None:
        # Segments of a time before the column have its default.
        where += f" AND (arrived_ms >= {plan.arrived_since_ms} OR arrived_ms < 1)"
    return (
        "SELECT account_id, counterparty_id, direction, transaction_id, amount, event_time_ms, kind, "
        f"reverses, arrived_ms FROM account_entries WHERE {where} LIMIT {plan.limit}"
    )


def matches(plan: MatchesPlan) -> str:
    """One row of one number."""
    return f"SELECT {COUNT} FROM account_entries WHERE {_entries_where(plan.listed)} LIMIT 1"


def rejected(plan: RejectedPlan) -> str:
    """Rows of reason, count."""
    where = ""
    if plan.interval is not None:
        where = f"WHERE {_range('event_time_ms', plan.interval)} "
    return (
        f"SELECT reason, {COUNT} FROM transactions_rejected {where}"
        f"GROUP BY reason ORDER BY {COUNT} DESC, reason ASC LIMIT {MAX_REASONS}"
    )


def probe(account_id: str) -> str:
    """A statement that touches all segments of one account's partition, whose size it tells."""
    return f"SELECT COUNT(*) FROM account_entries WHERE {_equal('account_id', account_id)} LIMIT 1"


def _is_hourly(plan: SlotsPlan) -> bool:
    """Whether slots begin with hours of UTC, which the star-tree has."""
    return plan.slot_ms % HOUR_MS == 0 and plan.into_slot_ms % HOUR_MS == 0


def _scope(
    account_id: str | None, direction: Direction, interval: Interval, part: Part = Part.WHOLE
) -> str:
    conditions = [_equal("direction", direction.value), _within(interval, part)]
    if account_id is not None:
        conditions.insert(0, _equal("account_id", account_id))
    return " AND ".join(conditions)


def _within(interval: Interval, part: Part = Part.WHOLE) -> str:
    hours = _hours(interval)
    if part is Part.HOURS or hours == interval:
        return _range("event_hour_ms", hours)
    if part is Part.WHOLE:
        return _range("event_time_ms", interval)
    if part is Part.BEFORE:
        return _range("event_time_ms", Interval(interval.start_ms, hours.start_ms))
    return _range("event_time_ms", Interval(hours.end_ms, interval.end_ms))


def _hours(interval: Interval) -> Interval:
    """The whole UTC hours inside an interval; may be empty or reversed."""
    return Interval(
        -(-interval.start_ms // HOUR_MS) * HOUR_MS, interval.end_ms // HOUR_MS * HOUR_MS
    )


def _range(column: str, interval: Interval) -> str:
    return f"{column} >= {interval.start_ms} AND {column} < {interval.end_ms}"


def _equal(column: str, value: str) -> str:
    return f"{column} = {literal(value)}"


def _among(column: str, values: Iterable[str]) -> str:
    literals = [literal(value) for value in values]
    return (
        f"{column} = {literals[0]}"
        if len(literals) == 1
        else f"{column} IN ({', '.join(literals)})"
    )


def _entries_where(plan: EntriesPlan) -> str:
    conditions = [_equal("account_id", plan.account_id)]
    if plan.direction is not None:
        conditions.append(_equal("direction", plan.direction.value))
    if plan.counterparty_id is not None:
        conditions.append(_equal("counterparty_id", plan.counterparty_id))
    if plan.kind is not None:
        conditions.append(_equal("kind", plan.kind.value))
    if plan.transaction_id is not None:
        conditions.append(_equal("transaction_id", plan.transaction_id))
    if plan.reverses is not None:
        conditions.append(_among("reverses", sorted(plan.reverses)))
    if plan.min_amount is not None:
        conditions.append(f"amount >= {_decimal(plan.min_amount)}")
    if plan.max_amount is not None:
        conditions.append(f"amount <= {_decimal(plan.max_amount)}")
    conditions.append(_within(plan.interval))
    return " AND ".join(conditions)


def _decimal(amount: Decimal) -> str:
    """A decimal to compare with: as text, since a number that has a point is read as a double."""
    return f"'{amount:f}'"


def _past(after: EntryKey, columns: Sequence[str], sign: str) -> str:
    places = {
        "amount": _decimal(after.amount),
        "event_time_ms": str(after.event_time_ms),
        "transaction_id": literal(after.transaction_id),
        "direction": literal(after.direction.value),
        "kind": literal(after.kind.value),
    }
    *before, last = columns
    past = f"{last} {sign} {places[last]}"
    for column in reversed(before):
        value = places[column]
        past = f"({column} {sign} {value} OR ({column} = {value} AND {past}))"
    return past
