"""A plan's rows out of an account's rows in memory, by the rules that every store keeps; pure."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any, TypeAlias

from gateway.access.caller import Scope
from gateway.analytics import money
from gateway.analytics.model import Direction, Interval, RankBy, TransactionKind
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
from gateway.store.rows.held import Rows, Side
from gateway.store.rows.listed import chosen_of, entries_of
from gateway.store.rows.places import (
    kind_at,
    of_kind,
    outside,
    places_of,
    taken,
    with_other,
    within,
)

Held: TypeAlias = Mapping[str, Rows]
"""The rows of each account that a plan is about."""

_KNOWN: Mapping[type[QueryPlan[Any]], frozenset[str]] = {
    TotalsPlan: frozenset(
        {"scope", "directions", "interval", "by_kind", "counterparty_id", "outside"}
    ),
    DistinctPlan: frozenset({"scope", "direction", "interval", "outside"}),
    TopPlan: frozenset(
        {
            *("scope", "direction", "interval", "order_by", "limit", "among", "outside"),
            *("ascending", "after", "kind"),
        }
    ),
    SlotsPlan: frozenset(
        {
            *("scope", "direction", "interval", "slot_ms", "origins", "counterparty_id"),
            *("outside", "by_kind", "among"),
        }
    ),
    EntriesPlan: frozenset(
        {
            *("scope", "direction", "counterparty_id", "interval", "after", "limit", "kind"),
            *("order", "min_amount", "max_amount", "transaction_id", "reverses"),
        }
    ),
    MatchesPlan: frozenset({"scope", "listed"}),
}
"""What each plan asks by. One that asks by more is the store's to answer, until this file knows how."""

ANSWERED = frozenset(
    kind
    for kind, known in _KNOWN.items()
    if known == frozenset(getattr(kind, "__match_args__", ()))
)


@dataclass(frozen=True, slots=True)
class About:
    """Whose rows a plan is answered from, with the proof that its caller may read them, and when they are."""

    scope: Scope
    accounts: frozenset[str]
    interval: Interval


def about(plan: QueryPlan[Any]) -> About | None:
    """What a plan is about; `None`: not of accounts, or not to be answered from rows."""
    match plan:
        case _ if type(plan) not in ANSWERED:
            return None
        case MatchesPlan():
            scope = plan.listed.scope if EntriesPlan in ANSWERED else None
        case TotalsPlan() | DistinctPlan() | TopPlan() | SlotsPlan() | EntriesPlan():
            scope = plan.scope
        case _:
            return None
    if scope is None or scope.account_ids is None:
        return None
    # What several accounts have as one is the store's to tell; totals are told of each.
    if len(scope.account_ids) > 1 and not isinstance(plan, TotalsPlan):
        return None
    return About(scope, scope.account_ids, plan.interval)


def rows_of(plan: QueryPlan[Any], held: Held) -> tuple[Any, ...]:
    """The rows of a plan that is `about` these accounts."""
    match plan:
        case TotalsPlan():
            return tuple(row for each in sorted(held) for row in _totals(plan, each, held[each]))
        case DistinctPlan():
            rows = _only(held)
            side, places = within(rows, plan.direction, plan.interval)
            places = outside(plan, rows, side, places)
            return (DistinctRow(len(set(taken(side.who, places)))),)
        case TopPlan():
            return _top(plan, _only(held))
        case SlotsPlan():
            return tuple(row for piece in plan.pieces for row in _slots(piece, _only(held)))
        case EntriesPlan():
            return entries_of(plan, _only(held))
        case MatchesPlan():
            sides = chosen_of(plan.listed, _only(held))
            return (CountRow(sum(len(places) for _, _, places in sides)),)
    raise TypeError(f"{type(plan).__name__} is not answered from rows")


def _only(held: Held) -> Rows:
    (rows,) = held.values()
    return rows


def _totals(plan: TotalsPlan, account_id: str, rows: Rows) -> Iterator[TotalsRow]:
    for direction in plan.directions:
        side, places = within(rows, direction, plan.interval)
        places = with_other(rows, side, places, plan.counterparty_id)
        places = outside(plan, rows, side, places)
        for kind in TransactionKind if plan.by_kind else (None,):
            chosen = of_kind(side, places, kind)
            if chosen:
                amount = money.from_units(sum(taken(side.units, chosen)))
                yield TotalsRow(account_id, direction, len(chosen), amount, kind)


def _top(plan: TopPlan, rows: Rows) -> tuple[GroupRow, ...]:
    side, places = within(rows, plan.direction, plan.interval)
    places = of_kind(side, outside(plan, rows, side, places), plan.kind)
    counts: dict[int, int] = {}
    units: dict[int, int] = {}
    for who, amount in zip(taken(side.who, places), taken(side.units, places), strict=True):
        counts[who] = counts.get(who, 0) + 1
        units[who] = units.get(who, 0) + amount
    names = rows.names
    if plan.among is not None:
        counts = {who: count for who, count in counts.items() if names[who] in plan.among}
    by_amount = plan.order_by is RankBy.TRANSACTION_AMOUNT
    sign = 1 if plan.ascending else -1
    # Places ascend as ids do.
    order: Iterable[tuple[int, int, int]] = (
        (sign * units[who], sign * count, who)
        if by_amount
        else (sign * count, sign * units[who], who)
        for who, count in counts.items()
    )
    if plan.after is not None:
        count, amount = (
            sign * plan.after.transaction_count,
            sign * money.to_units(plan.after.transaction_amount),
        )
        past = (amount, count) if by_amount else (count, amount)
        place = *past, plan.after.account_id
        order = [each for each in order if (*each[:2], names[each[2]]) > place]
    return tuple(
        GroupRow(names[who], counts[who], money.from_units(units[who]))
        for _, _, who in heapq.nsmallest(plan.limit, order)
    )


def _slots(piece: SlotsPlan, rows: Rows) -> Iterator[SlotRow]:
    """The slots of one grid; of a side that is not told apart they come straight off its columns."""
    apart = piece.direction is None or piece.by_kind or piece.among is not None
    if apart:
        yield from _slots_apart(piece, rows)
        return
    assert piece.direction is not None
    side, places = _slots_places(piece, rows, piece.direction)
    starts = _starts(piece, side, places)
    for start_ms, group in groupby(
        zip(starts, taken(side.units, places), strict=True), itemgetter(0)
    ):
        amounts = [amount for _, amount in group]
        yield SlotRow(start_ms, len(amounts), money.from_units(sum(amounts)))


def _slots_apart(piece: SlotsPlan, rows: Rows) -> Iterator[SlotRow]:
    found: dict[tuple[int, Direction | None, TransactionKind | None, str | None], list[int]] = {}
    names = rows.names
    for direction in Direction if piece.direction is None else (piece.direction,):
        side, places = _slots_places(piece, rows, direction)
        told = direction if piece.direction is None else None
        for place, start_ms in zip(places, _starts(piece, side, places), strict=True):
            kind = kind_at(side, place) if piece.by_kind else None
            name = None if piece.among is None else names[side.who[place]]
            found.setdefault((start_ms, told, kind, name), []).append(side.units[place])
    for (start_ms, told, kind, name), amounts in sorted(found.items(), key=lambda each: each[0][0]):
        measures = len(amounts), money.from_units(sum(amounts))
        yield SlotRow(start_ms, *measures, told, kind, name)


def _slots_places(piece: SlotsPlan, rows: Rows, direction: Direction) -> tuple[Side, Sequence[int]]:
    side, places = within(rows, direction, piece.interval)
    places = outside(piece, rows, side, with_other(rows, side, places, piece.counterparty_id))
    if piece.among is not None:
        among = places_of(rows, piece.among)
        places = [each for each in places if side.who[each] in among]
    return side, places


def _starts(piece: SlotsPlan, side: Side, places: Sequence[int]) -> list[int]:
    """Where the slot of each row begins."""
    into_ms, slot_ms = piece.into_slot_ms, piece.slot_ms
    return [each - (each + into_ms) % slot_ms for each in taken(side.times_ms, places)]
