"""A plan's rows out of an account's rows in memory, by the rules that every store keeps; pure."""

from __future__ import annotations

import heapq
import operator
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, islice
from operator import itemgetter
from typing import Any, TypeAlias

from gateway.access.caller import Scope
from gateway.analytics import money
from gateway.analytics.model import Direction, Entry, Interval, RankBy, TransactionKind
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
from gateway.store.rows.asked import id_bytes, id_text
from gateway.store.rows.held import Rows, Side

Held: TypeAlias = Mapping[str, Rows]
"""The rows of each account that a plan is about."""

_KNOWN: Mapping[type[QueryPlan[Any]], frozenset[str]] = {
    TotalsPlan: frozenset({"scope", "directions", "interval", "by_kind", "counterparty_id"}),
    DistinctPlan: frozenset({"scope", "direction", "interval"}),
    TopPlan: frozenset({"scope", "direction", "interval", "order_by", "limit", "among"}),
    SlotsPlan: frozenset(
        {"scope", "direction", "interval", "slot_ms", "origins", "counterparty_id"}
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
    return About(scope, scope.account_ids, plan.interval)


def rows_of(plan: QueryPlan[Any], held: Held) -> tuple[Any, ...]:
    """The rows of a plan that is `about` these accounts."""
    match plan:
        case TotalsPlan():
            return tuple(row for each in sorted(held) for row in _totals(plan, each, held[each]))
        case DistinctPlan():
            side, first, last = _within(_only(held), plan.direction, plan.interval)
            return (DistinctRow(len(set(side.who[first:last]))),)
        case TopPlan():
            return _top(plan, _only(held))
        case SlotsPlan():
            return tuple(row for piece in plan.pieces for row in _slots(piece, _only(held)))
        case EntriesPlan():
            return _entries(plan, _only(held))
        case MatchesPlan():
            sides = _chosen_of(plan.listed, _only(held))
            return (CountRow(sum(len(places) for _, _, places in sides)),)
    raise TypeError(f"{type(plan).__name__} is not answered from rows")


def _only(held: Held) -> Rows:
    (rows,) = held.values()
    return rows


def _side(rows: Rows, direction: Direction) -> Side:
    return rows.received if direction is Direction.RECEIVED else rows.sent


def _within(rows: Rows, direction: Direction, interval: Interval) -> tuple[Side, int, int]:
    side = _side(rows, direction)
    return side, *side.within(interval)


def _place_of(rows: Rows, name: str) -> int:
    """A counterparty's place; -1 for one that there is not."""
    names = rows.names
    return names.index(name) if name in names else -1


def _totals(plan: TotalsPlan, account_id: str, rows: Rows) -> Iterator[TotalsRow]:
    only = None if plan.counterparty_id is None else _place_of(rows, plan.counterparty_id)
    for direction in plan.directions:
        side, first, last = _within(rows, direction, plan.interval)
        places: Sequence[int] = range(first, last)
        if only is not None:
            places = [place for place in places if side.who[place] == only]
        kinds: tuple[tuple[TransactionKind | None, Sequence[int]], ...] = ((None, places),)
        if plan.by_kind:
            back = [place for place in places if place in side.reversals]
            moved = places if not back else [each for each in places if each not in side.reversals]
            kinds = (TransactionKind.TRANSFER, moved), (TransactionKind.REVERSAL, back)
        for kind, chosen in kinds:
            if chosen:
                amount = money.from_units(_sum(side, chosen))
                yield TotalsRow(account_id, direction, len(chosen), amount, kind)


def _sum(side: Side, places: Sequence[int]) -> int:
    if isinstance(places, range):
        return sum(side.units[places.start : places.stop])
    return sum([side.units[place] for place in places])


def _top(plan: TopPlan, rows: Rows) -> tuple[GroupRow, ...]:
    side, first, last = _within(rows, plan.direction, plan.interval)
    counts: dict[int, int] = {}
    units: dict[int, int] = {}
    for who, amount in zip(side.who[first:last], side.units[first:last], strict=True):
        counts[who] = counts.get(who, 0) + 1
        units[who] = units.get(who, 0) + amount
    names = rows.names
    if plan.among is not None:
        counts = {who: count for who, count in counts.items() if names[who] in plan.among}
    by_amount = plan.order_by is RankBy.TRANSACTION_AMOUNT
    # Places ascend as ids do.
    order = [
        (-units[who], -count, who) if by_amount else (-count, -units[who], who)
        for who, count in counts.items()
    ]
    return tuple(
        GroupRow(names[who], counts[who], money.from_units(units[who]))
        for _, _, who in heapq.nsmallest(plan.limit, order)
    )


def _slots(piece: SlotsPlan, rows: Rows) -> Iterator[SlotRow]:
    side, first, last = _within(rows, piece.direction, piece.interval)
    only = None if piece.counterparty_id is None else _place_of(rows, piece.counterparty_id)
    into_ms, slot_ms = piece.into_slot_ms, piece.slot_ms
    cells = [
        (time_ms - (time_ms + into_ms) % slot_ms, amount)
        for time_ms, amount, who in zip(
            side.times_ms[first:last],
            side.units[first:last],
            side.who[first:last],
            strict=True,
        )
        if only is None or who == only
    ]
    for start_ms, group in groupby(cells, itemgetter(0)):
        amounts = [amount for _, amount in group]
        yield SlotRow(start_ms, len(amounts), money.from_units(sum(amounts)))


Place: TypeAlias = tuple[int, int, bytes, str, str, int]
"""Where an entry stands in any order: units, time, transaction id, direction, kind; and its place on its side."""


def _entries(plan: EntriesPlan, rows: Rows) -> tuple[Entry, ...]:
    descends, sides = plan.order.descends, _chosen_of(plan, rows)
    if plan.order.by_amount:
        found = _past(plan, (each for side in sides for each in _walk(*side)))
        pick = heapq.nlargest if descends else heapq.nsmallest
        page = pick(plan.limit, found)
    else:
        walks = [_walk(*side, backward=descends) for side in sides]
        in_time = heapq.merge(*walks, key=itemgetter(1, 2, 3, 4), reverse=descends)
        page = list(islice(_past(plan, in_time), plan.limit))
    names = rows.names
    return tuple(_entry(plan.account_id, each, rows, names) for each in page)


def _past(plan: EntriesPlan, found: Iterable[Place]) -> Iterable[Place]:
    """What stands after the place that a page goes on from."""
    after = plan.after
    if after is None:
        return found
    raw = id_bytes(after.transaction_id)
    # An id of another form stands where its text would.
    written: Callable[[bytes], object] = id_text if raw is None else bytes
    id_ = after.transaction_id if raw is None else raw
    time = after.event_time_ms, id_, after.direction.value, after.kind.value
    place = (money.to_units(after.amount), *time) if plan.order.by_amount else time
    first = 0 if plan.order.by_amount else 1
    is_past = operator.lt if plan.order.descends else operator.gt

    def place_of(each: Place) -> tuple[Any, ...]:
        units, time_ms, id_, direction, kind, _ = each
        return (units, time_ms, written(id_), direction, kind)[first:]

    return (each for each in found if is_past(place_of(each), place))


Chosen: TypeAlias = tuple[Direction, Side, Sequence[int]]


def _chosen_of(plan: EntriesPlan, rows: Rows) -> list[Chosen]:
    """By direction the places of what a list is of, ascending."""
    wanted = Direction if plan.direction is None else (plan.direction,)
    found: list[Chosen] = []
    for direction in wanted:
        side, first, last = _within(rows, direction, plan.interval)
        found.append((direction, side, _chosen(plan, rows, side, range(first, last))))
    return found


def _walk(
    direction: Direction, side: Side, places: Sequence[int], *, backward: bool = False
) -> Iterator[Place]:
    for place in reversed(places) if backward else places:
        kind = "REVERSAL" if place in side.reversals else "TRANSFER"
        id_ = side.id_at(place)
        yield side.units[place], side.times_ms[place], id_, direction.value, kind, place


def _chosen(plan: EntriesPlan, rows: Rows, side: Side, places: Sequence[int]) -> Sequence[int]:
    if plan.counterparty_id is not None:
        who = _place_of(rows, plan.counterparty_id)
        places = [each for each in places if side.who[each] == who]
    if plan.kind is not None:
        back = plan.kind is TransactionKind.REVERSAL
        places = [each for each in places if (each in side.reversals) is back]
    if plan.transaction_id is not None:
        raw = id_bytes(plan.transaction_id)
        places = [each for each in places if side.id_at(each) == raw]
    if plan.reverses is not None:
        taken = {id_bytes(each) for each in plan.reverses}
        places = [each for each in places if side.reversals.get(each) in taken - {None}]
    if plan.min_amount is not None:
        least = money.to_units(plan.min_amount)
        places = [each for each in places if side.units[each] >= least]
    if plan.max_amount is not None:
        most = money.to_units(plan.max_amount)
        places = [each for each in places if side.units[each] <= most]
    return places


def _entry(account_id: str, found: Place, rows: Rows, names: Sequence[str]) -> Entry:
    units, time_ms, raw, direction, kind, place = found
    side = _side(rows, Direction(direction))
    reverses = side.reversals.get(place)
    return Entry(
        account_id,
        names[side.who[place]],
        Direction(direction),
        id_text(raw),
        money.from_units(units),
        time_ms,
        TransactionKind(kind),
        None if reverses is None else id_text(reverses),
    )
