"""What a plan's answer must be: evaluated in plain Python over a list of entries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from decimal import Context, Decimal, Inexact
from typing import Any

from gateway.model import Direction, Entry, Interval, RankBy
from gateway.query_plan import (
    CountRow,
    DistinctPlan,
    DistinctRow,
    EntriesPlan,
    EntryCountPlan,
    EntryKey,
    GroupRow,
    QueryPlan,
    SlotRow,
    SlotsPlan,
    TopPlan,
    TotalsPlan,
    TotalsRow,
)

EXACT = Context(prec=200, traps=[Inexact])


def evaluate(plan: QueryPlan[Any], entries: Sequence[Entry]) -> list[Any]:
    """The rows of a plan over entries, in the plan's order."""
    match plan:
        case TotalsPlan(scope, directions, interval, by_kind):
            account_ids = scope.account_ids
            chosen = [
                entry
                for entry in within(entries, interval)
                if entry.direction in directions
                and (account_ids is None or entry.account_id in account_ids)
            ]
            grouped = group(
                chosen,
                lambda e: (account_ids and e.account_id, e.direction, e.kind if by_kind else None),
            )
            return [TotalsRow(id_, side, *m, kind) for (id_, side, kind), m in grouped.items()]
        case DistinctPlan(scope, direction, interval):
            account_id = scope.account_id
            chosen = scoped(entries, account_id, direction, interval)
            return [DistinctRow(len({other(account_id, entry) for entry in chosen}))]
        case TopPlan(scope, direction, interval, order_by, limit, among):
            account_id = scope.account_id
            chosen = scoped(entries, account_id, direction, interval)
            grouped = group(chosen, lambda entry: other(account_id, entry))
            rows = [GroupRow(key, *measures) for key, measures in grouped.items()]
            rows = [row for row in rows if among is None or row.account_id in among]
            return sorted(rows, key=place(order_by))[:limit]
        case SlotsPlan(scope, direction, interval, slot_ms):
            chosen = scoped(entries, scope.account_id, direction, interval)
            slots = group(chosen, lambda entry: entry.event_time_ms // slot_ms)
            return sorted((SlotRow(*each, *m) for each, m in single(slots)), key=lambda r: r.slot)
        case EntriesPlan(scope, direction, counterparty_id, interval, after, limit, kind):
            found = [
                entry
                for entry in within(entries, interval)
                if entry.account_id == scope.account_id
                and direction in (None, entry.direction)
                and counterparty_id in (None, entry.counterparty_id)
                and kind in (None, entry.kind)
            ]
            if after is not None:
                found = [entry for entry in found if position(entry) < position(after)]
            return sorted(found, key=position, reverse=True)[:limit]
        case EntryCountPlan():
            return [CountRow(len(entries))]
    raise TypeError(f"no reference for {plan}")


def group(entries: Iterable[Entry], key: Callable[[Entry], Any]) -> dict[Any, tuple[int, Decimal]]:
    """Count and exact amount by key."""
    grouped: dict[Any, tuple[int, Decimal]] = defaultdict(lambda: (0, Decimal(0)))
    for entry in entries:
        count, amount = grouped[key(entry)]
        grouped[key(entry)] = (count + 1, EXACT.add(amount, entry.amount))
    return grouped


def single(grouped: dict[Any, tuple[int, Decimal]]) -> Iterable[tuple[tuple[Any], Any]]:
    """The groups with their keys as tuples."""
    return (((key,), measures) for key, measures in grouped.items())


def within(entries: Iterable[Entry], interval: Interval) -> list[Entry]:
    """The entries of a half-open interval."""
    return [e for e in entries if interval.start_ms <= e.event_time_ms < interval.end_ms]


def scoped(
    entries: Iterable[Entry], account_id: str | None, direction: Direction, interval: Interval
) -> list[Entry]:
    """The entries of one direction, of one account or all."""
    return [
        entry
        for entry in within(entries, interval)
        if entry.direction is direction and account_id in (None, entry.account_id)
    ]


def other(account_id: str | None, entry: Entry) -> str:
    """Who is grouped: an account's counterparties, else the accounts."""
    return entry.account_id if account_id is None else entry.counterparty_id


def place(order_by: RankBy) -> Callable[[GroupRow], tuple[Decimal, Decimal, str]]:
    """The order of a ranking."""

    def key(row: GroupRow) -> tuple[Decimal, Decimal, str]:
        count, amount = Decimal(-row.transaction_count), row.transaction_amount.copy_negate()
        first, second = (
            (amount, count) if order_by is RankBy.TRANSACTION_AMOUNT else (count, amount)
        )
        return first, second, row.account_id

    return key


def position(at: Entry | EntryKey) -> tuple[int, str, str, str]:
    """The place of an entry in time, and among those of its time."""
    return at.event_time_ms, at.transaction_id, at.direction.value, at.kind.value
