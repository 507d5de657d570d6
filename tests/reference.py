"""What a plan's answer must be: evaluated in plain Python over a list of entries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from decimal import Context, Decimal, Inexact
from typing import Any

from gateway.analytics.model import Direction, Entry, Interval, RankBy
from gateway.analytics.query_plan import (
    CountRow,
    DistinctPlan,
    DistinctRow,
    EntriesPlan,
    EntryCountPlan,
    EntryKey,
    GroupRow,
    MatchesPlan,
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
        case TotalsPlan(scope, directions, interval, by_kind, counterparty_id):
            account_ids = scope.account_ids
            chosen = [
                entry
                for entry in within(entries, interval)
                if entry.direction in directions
                and (account_ids is None or entry.account_id in account_ids)
                and counterparty_id in (None, entry.counterparty_id)
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
        case SlotsPlan(scope, direction, interval, slot_ms, origins, counterparty_id):
            chosen = scoped(entries, scope.account_id, direction, interval)
            chosen = [each for each in chosen if counterparty_id in (None, each.counterparty_id)]
            slots = group(chosen, lambda entry: slot_start(entry.event_time_ms, slot_ms, origins))
            return [SlotRow(start_ms, *measures) for start_ms, measures in sorted(slots.items())]
        case EntriesPlan():
            found = sorted(listed(plan, entries), key=lambda e: place_of(plan, e))
            after = plan.after and place_of(plan, plan.after)
            if plan.order.name.endswith("DESCENDING"):
                found.reverse()
                return [e for e in found if not after or place_of(plan, e) < after][: plan.limit]
            return [e for e in found if not after or place_of(plan, e) > after][: plan.limit]
        case MatchesPlan(_, of):
            return [CountRow(len(listed(of, entries)))]
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


def slot_start(time_ms: int, slot_ms: int, origins: Sequence[int]) -> int:
    """Where the slot of a time begins: so many whole slots after the last origin that is not later."""
    origin = origins[0] if origins else 0
    for each in origins:
        if each <= time_ms:
            origin = each
    return origin + (time_ms - origin) // slot_ms * slot_ms


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


def listed(plan: EntriesPlan, entries: Iterable[Entry]) -> list[Entry]:
    """The entries that a list is of, in no order."""
    return [
        entry
        for entry in within(entries, plan.interval)
        if entry.account_id == plan.scope.account_id
        and plan.direction in (None, entry.direction)
        and plan.counterparty_id in (None, entry.counterparty_id)
        and plan.kind in (None, entry.kind)
        and plan.transaction_id in (None, entry.transaction_id)
        and (plan.reverses is None or entry.reverses in plan.reverses)
        and (plan.min_amount is None or entry.amount >= plan.min_amount)
        and (plan.max_amount is None or entry.amount <= plan.max_amount)
    ]


def place_of(plan: EntriesPlan, at: Entry | EntryKey) -> tuple[Any, ...]:
    """The place of an entry in the order of a list."""
    return (at.amount, *position(at)) if "AMOUNT" in plan.order.name else position(at)


def position(at: Entry | EntryKey) -> tuple[int, str, str, str]:
    """The place of an entry in time, and among those of its time."""
    return at.event_time_ms, at.transaction_id, at.direction.value, at.kind.value
