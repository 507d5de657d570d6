"""What a plan's answer must be: evaluated in plain Python over a list of entries."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from decimal import Context, Decimal, Inexact
from typing import Any

from gateway.access.caller import Scope
from gateway.analytics.model import Direction, Entry, Interval, RankBy
from gateway.analytics.pipeline_plan import EntryCountPlan
from gateway.analytics.query_plan import (
    CountRow,
    DistinctPlan,
    DistinctRow,
    EntriesPlan,
    EntryKey,
    GroupRow,
    MatchesPlan,
    Place,
    QueryPlan,
    SlotRow,
    SlotsPlan,
    TopPlan,
    TotalsPlan,
    TotalsRow,
)
from gateway.analytics.spread_plan import AmountRow, AmountsPlan, StepRow, StepsPlan

EXACT = Context(prec=200, traps=[Inexact])


def evaluate(plan: QueryPlan[Any], entries: Sequence[Entry]) -> list[Any]:
    """The rows of a plan over entries, in the plan's order."""
    match plan:
        case TotalsPlan(scope, directions, interval, by_kind, counterparty_id, outside):
            chosen = [
                entry
                for entry in scoped(entries, scope, None, interval, outside=outside)
                if entry.direction in directions
                and counterparty_id in (None, entry.counterparty_id)
            ]
            grouped = group(
                chosen,
                lambda e: (
                    scope.account_ids and e.account_id,
                    e.direction,
                    e.kind if by_kind else None,
                ),
            )
            return [TotalsRow(id_, side, *m, kind) for (id_, side, kind), m in grouped.items()]
        case DistinctPlan(scope, direction, interval, outside):
            chosen = scoped(entries, scope, direction, interval, outside=outside)
            return [DistinctRow(len({other(scope, entry) for entry in chosen}))]
        case TopPlan(scope, direction, interval, _, limit, among, outside):
            chosen = scoped(entries, scope, direction, interval, outside=outside)
            chosen = [each for each in chosen if plan.kind in (None, each.kind)]
            grouped = group(chosen, lambda entry: other(scope, entry))
            rows = [GroupRow(key, *measures) for key, measures in grouped.items()]
            rows = [row for row in rows if among is None or row.account_id in among]
            key = place(plan)
            rows = [row for row in rows if plan.after is None or key(row) > key(plan.after)]
            return sorted(rows, key=key)[:limit]
        case SlotsPlan(scope, direction, interval, slot_ms, origins, counterparty_id, outside):
            chosen = scoped(entries, scope, direction, interval, outside=outside)
            chosen = [each for each in chosen if counterparty_id in (None, each.counterparty_id)]
            among = plan.among
            chosen = [each for each in chosen if among is None or each.counterparty_id in among]
            slots = group(
                chosen,
                lambda e: (
                    slot_start(e.event_time_ms, slot_ms, origins),
                    e.direction if direction is None else None,
                    e.kind if plan.by_kind else None,
                    None if among is None else e.counterparty_id,
                ),
            )
            of_slots = [SlotRow(start, *m, *apart) for (start, *apart), m in slots.items()]
            return sorted(of_slots, key=lambda row: row.start_ms)
        case AmountsPlan() | StepsPlan():
            return spread(plan, entries)
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


def spread(plan: AmountsPlan | StepsPlan, entries: Sequence[Entry]) -> list[Any]:
    """The amounts of transfers, or how many there are in each step."""
    chosen = scoped(entries, plan.scope, plan.direction, plan.interval, outside=plan.outside)
    amounts = sorted(each.amount for each in chosen if each.reverses is None)
    if isinstance(plan, StepsPlan):
        return [StepRow(*each) for each in sorted(Counter(map(step_of, amounts)).items())]
    return [AmountRow(each) for each in amounts] if len(amounts) <= plan.limit else []


def group(entries: Iterable[Entry], key: Callable[[Entry], Any]) -> dict[Any, tuple[int, Decimal]]:
    """Count and exact amount by key."""
    grouped: dict[Any, tuple[int, Decimal]] = defaultdict(lambda: (0, Decimal(0)))
    for entry in entries:
        count, amount = grouped[key(entry)]
        grouped[key(entry)] = (count + 1, EXACT.add(amount, entry.amount))
    return grouped


def step_of(amount: Decimal) -> int:
    """The step of two hundredths that an amount is in."""
    return math.ceil(math.log(float(amount)) / math.log(1.02))


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
    entries: Iterable[Entry],
    scope: Scope,
    direction: Direction | None,
    interval: Interval,
    *,
    outside: bool,
) -> list[Entry]:
    """The entries of one direction or both, of some accounts or all, with those outside alone or with all."""
    ids = scope.account_ids
    return [
        entry
        for entry in within(entries, interval)
        if direction in (None, entry.direction)
        and (ids is None or entry.account_id in ids)
        and not (outside and ids is not None and entry.counterparty_id in ids)
    ]


def other(scope: Scope, entry: Entry) -> str:
    """Who is grouped: the accounts' counterparties, of the network the accounts."""
    return entry.account_id if scope.account_ids is None else entry.counterparty_id


def place(plan: TopPlan) -> Callable[[GroupRow | Place], tuple[Decimal, Decimal, str]]:
    """The order of a ranking."""
    sign = Decimal(1 if plan.ascending else -1)

    def key(row: GroupRow | Place) -> tuple[Decimal, Decimal, str]:
        count = sign * row.transaction_count
        amount = EXACT.multiply(sign, row.transaction_amount)
        by_amount = plan.order_by is RankBy.TRANSACTION_AMOUNT
        return (amount, count, row.account_id) if by_amount else (count, amount, row.account_id)

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
