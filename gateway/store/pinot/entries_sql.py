"""SQL of single entries: lists of them, and how long these are."""

# ruff: noqa: S608 - SQL is put together here, out of quoted literals and numbers

from __future__ import annotations

from collections.abc import Sequence

from gateway.analytics.query_plan import EntriesPlan, EntryKey, MatchesPlan
from gateway.store.pinot.clauses import among, decimal_literal, equal, literal, within


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


def matches(plan: MatchesPlan) -> str:
    """One row of one number."""
    return f"SELECT COUNT(*) FROM account_entries WHERE {_entries_where(plan.listed)} LIMIT 1"


def _entries_where(plan: EntriesPlan) -> str:
    conditions = [equal("account_id", plan.account_id)]
    if plan.direction is not None:
        conditions.append(equal("direction", plan.direction.value))
    if plan.counterparty_id is not None:
        conditions.append(equal("counterparty_id", plan.counterparty_id))
    if plan.kind is not None:
        conditions.append(equal("kind", plan.kind.value))
    if plan.transaction_id is not None:
        conditions.append(equal("transaction_id", plan.transaction_id))
    if plan.reverses is not None:
        conditions.append(among("reverses", sorted(plan.reverses)))
    if plan.min_amount is not None:
        conditions.append(f"amount >= {decimal_literal(plan.min_amount)}")
    if plan.max_amount is not None:
        conditions.append(f"amount <= {decimal_literal(plan.max_amount)}")
    conditions.append(within(plan.interval))
    return " AND ".join(conditions)


def _past(after: EntryKey, columns: Sequence[str], sign: str) -> str:
    places = {
        "amount": decimal_literal(after.amount),
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
