"""From the broker's cells to a plan's rows, one function a shape; columns as in `sql`."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from operator import attrgetter
from typing import Any, TypeAlias

from gateway.analytics import money
from gateway.analytics.model import Direction, Entry, Interval, TransactionKind
from gateway.analytics.pipeline_model import AuditMismatch, AuditReport
from gateway.analytics.pipeline_plan import AuditPlan, EntryCountPlan, ReasonRow, RejectedPlan
from gateway.analytics.query_plan import (
    CountRow,
    DistinctPlan,
    DistinctRow,
    EntriesPlan,
    GroupRow,
    MatchesPlan,
    QueryPlan,
    SlotRow,
    SlotsPlan,
    TopPlan,
    TotalsPlan,
    TotalsRow,
)
from gateway.analytics.spread_plan import AmountRow, AmountsPlan, StepRow, StepsPlan
from gateway.errors import StoreUnavailableError
from gateway.store.pinot.response import Cells, decimal, text, whole
from gateway.store.pinot.sql import told_apart

MeasuredRow: TypeAlias = TotalsRow | SlotRow


def rows_of(plan: QueryPlan[Any], rows: Iterable[Cells]) -> tuple[Any, ...]:
    """The rows of a plan's answer."""
    match plan:
        case TotalsPlan():
            return tuple(totals_row(cells, plan) for cells in rows)
        case DistinctPlan():
            return _one(DistinctRow(whole(count)) for (count,) in rows) or (DistinctRow(0),)
        case TopPlan():
            return tuple(group_row(cells) for cells in rows)
        case SlotsPlan():
            return tuple(slot_row(cells, plan) for cells in rows)
        case AmountsPlan() | StepsPlan():
            return spread_rows(plan, rows)
        case EntriesPlan():
            return tuple(entry(cells, plan.account_id) for cells in rows)
        case EntryCountPlan() | MatchesPlan():
            return _one(CountRow(whole(count)) for (count,) in rows) or (CountRow(0),)
        case RejectedPlan():
            return tuple(ReasonRow(text(reason), whole(count)) for reason, count in rows)
        case AuditPlan():
            return tuple(audit_report(cells) for cells in rows)
    raise TypeError(f"no rows for {type(plan).__name__}")


def merge(plan: QueryPlan[Any], parts: list[tuple[Any, ...]]) -> tuple[Any, ...]:
    """The rows of a plan that was asked in disjoint parts."""
    if len(parts) == 1:
        return parts[0]
    merged: dict[object, MeasuredRow] = {}
    for row in (row for rows in parts for row in rows):
        key = (
            (row.start_ms, row.direction, row.kind, row.counterparty_id)
            if isinstance(row, SlotRow)
            else (row.account_id, row.direction, row.kind)
        )
        known = merged.get(key)
        merged[key] = row if known is None else _sum(known, row)
    rows = tuple(merged.values())
    return tuple(sorted(rows, key=attrgetter("start_ms"))) if isinstance(plan, SlotsPlan) else rows


def totals_row(cells: Cells, plan: TotalsPlan) -> TotalsRow:
    """A row of account id (not over all), direction, kind (if told apart), count, amount."""
    *groups, count, amount = cells
    account_id = None if plan.account_ids is None else text(groups.pop(0))
    kind = TransactionKind(text(groups.pop())) if plan.by_kind else None
    (direction,) = groups
    return TotalsRow(account_id, Direction(text(direction)), whole(count), decimal(amount), kind)


def spread_rows(plan: AmountsPlan | StepsPlan, rows: Iterable[Cells]) -> tuple[Any, ...]:
    """Rows of an amount, none if they are too many; or of step, count."""
    if isinstance(plan, StepsPlan):
        return tuple(StepRow(whole(step), whole(count)) for step, count in rows)
    found = tuple(AmountRow(decimal(amount)) for (amount,) in rows)
    return found if len(found) <= plan.limit else ()


def group_row(cells: Cells) -> GroupRow:
    """A row of id, count, amount."""
    account_id, count, amount = cells
    return GroupRow(text(account_id), whole(count), decimal(amount))


def slot_row(cells: Cells, plan: SlotsPlan) -> SlotRow:
    """A row of the slot's first millisecond, what is told apart, count, amount."""
    start_ms, *told, count, amount = cells
    apart = dict(zip(told_apart(plan), map(text, told), strict=True))
    return SlotRow(
        whole(start_ms),
        whole(count),
        decimal(amount),
        Direction(apart["direction"]) if "direction" in apart else None,
        TransactionKind(apart["kind"]) if "kind" in apart else None,
        apart.get("counterparty_id"),
    )


def entry(cells: Cells, account_id: str) -> Entry:
    """A row of counterparty id, direction, transaction id, amount, time, kind, what is reversed or no text."""
    counterparty_id, direction, transaction_id, amount, event_time_ms, kind, reverses = cells
    return Entry(
        account_id,
        text(counterparty_id),
        Direction(text(direction)),
        text(transaction_id),
        decimal(amount),
        whole(event_time_ms),
        TransactionKind(text(kind)),
        text(reverses) or None,
    )


def audit_report(cells: Cells) -> AuditReport:
    """A row of six numbers and the mismatches as JSON."""
    recorded_ms, through_ms, consistent_ms, checked, open_, conflicts, mismatches = cells
    try:
        found = tuple(
            AuditMismatch(
                str(each["tier"]),
                str(each["kind"]),
                Interval(int(each["start_ms"]), int(each["end_ms"])),
                int(each["count"]),
                tuple(map(str, each["ids"])),
            )
            for each in json.loads(text(mismatches))
        )
    except (ValueError, KeyError, TypeError) as fault:
        raise StoreUnavailableError("the audit's mismatches are malformed") from fault
    return AuditReport(
        whole(recorded_ms),
        whole(through_ms),
        whole(consistent_ms),
        whole(checked),
        whole(open_),
        whole(conflicts),
        found,
    )


def _sum(left: MeasuredRow, right: MeasuredRow) -> MeasuredRow:
    return replace(
        left,
        transaction_count=left.transaction_count + right.transaction_count,
        transaction_amount=money.add((left.transaction_amount, right.transaction_amount)),
    )


def _one(rows: Iterable[Any]) -> tuple[Any, ...]:
    return tuple(rows)[:1]
