"""From a plan to Pinot's SQL, one function a shape: the only file that writes SQL for Pinot.

A LIMIT stands at every statement's end: Pinot takes 10 if there is none, and it keeps a literal
from being read as a trailing OPTION(...) clause. Windows that begin and end on a UTC hour filter on
`event_hour_ms`, which the star-tree has.
"""

# ruff: noqa: S608 - this file is where SQL is put together, out of quoted literals and numbers

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from urllib.parse import quote

from gateway.model import Direction, Interval, RankBy, TransactionKind
from gateway.query_plan import (
    AuditPlan,
    DistinctPlan,
    EntriesPlan,
    EntryCountPlan,
    EntryKey,
    QueryPlan,
    RejectedPlan,
    SlotsPlan,
    TopPlan,
    TotalsPlan,
)
from gateway.window import HOUR_MS

COUNT, AMOUNT = "COUNT(*)", "SUMPRECISION(amount)"
ESTIMATE = "SUM(amount_estimate)"
"""A sum of doubles, reversals left out: it says where to look, never how much."""
MAX_REASONS = 1_000
PROGRESS = (
    "SELECT as_of_ms, entry_docs, rejected_docs FROM pipeline_progress "
    "ORDER BY as_of_ms DESC LIMIT 1"
)

AUDIT = (
    "SELECT recorded_at_ms, through_ms, consistent_through_ms, checked_intervals, open_intervals, "
    "conflicts, mismatches FROM pipeline_audit ORDER BY recorded_at_ms DESC LIMIT 1"
)


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
    if isinstance(plan, SlotsPlan) and plan.slot_ms % HOUR_MS:
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
    """Rows of the slot's first millisecond, count, amount; ascending."""
    column = "event_time_ms" if plan.slot_ms % HOUR_MS else "event_hour_ms"
    slot = column if plan.slot_ms == HOUR_MS else f"{column} - MOD({column}, {plan.slot_ms})"
    limit = (plan.interval.end_ms - plan.interval.start_ms) // plan.slot_ms + 2
    return (
        f"SELECT {slot}, {COUNT}, {AMOUNT} FROM account_entries "
        f"WHERE {_scope(plan.account_id, plan.direction, plan.interval, part)} "
        f"GROUP BY {slot} ORDER BY {slot} ASC LIMIT {limit}"
    )


def entries(plan: EntriesPlan) -> str:
    """Rows of counterparty id, direction, transaction id, amount, time, kind, reversed; newest first."""
    conditions = [_equal("account_id", plan.account_id)]
    if plan.direction is not None:
        conditions.append(_equal("direction", plan.direction.value))
    if plan.counterparty_id is not None:
        conditions.append(_equal("counterparty_id", plan.counterparty_id))
    if plan.kind is not None:
        conditions.append(_equal("kind", plan.kind.value))
    conditions.append(_within(plan.interval))
    if plan.after is not None:
        conditions.append(_past(plan.after))
    return (
        "SELECT counterparty_id, direction, transaction_id, amount, event_time_ms, kind, reverses "
        f"FROM account_entries WHERE {' AND '.join(conditions)} "
        "ORDER BY event_time_ms DESC, transaction_id DESC, direction DESC, kind DESC "
        f"LIMIT {plan.limit}"
    )


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


def _past(after: EntryKey) -> str:
    places = (
        ("event_time_ms", str(after.event_time_ms)),
        ("transaction_id", literal(after.transaction_id)),
        ("direction", literal(after.direction.value)),
    )
    past = f"kind < {literal(after.kind.value)}"
    for column, value in reversed(places):
        past = f"({column} < {value} OR ({column} = {value} AND {past}))"
    return past
