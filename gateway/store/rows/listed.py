"""Single entries out of an account's rows in memory, in any order that a list may have; pure."""

from __future__ import annotations

import heapq
import operator
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from operator import itemgetter
from typing import Any, TypeAlias

from gateway.analytics import money
from gateway.analytics.model import Direction, Entry, TransactionKind
from gateway.analytics.query_plan import EntriesPlan
from gateway.store.rows.asked import id_bytes, id_text
from gateway.store.rows.held import Rows, Side
from gateway.store.rows.places import kind_at, of_kind, side_of, with_other, within

Place: TypeAlias = tuple[int, int, bytes, str, str, int]
"""Where an entry stands in any order: units, time, transaction id, direction, kind; and its place on its side."""


def entries_of(plan: EntriesPlan, rows: Rows) -> tuple[Entry, ...]:
    """A page of a list."""
    descends, sides = plan.order.descends, chosen_of(plan, rows)
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


def chosen_of(plan: EntriesPlan, rows: Rows) -> list[Chosen]:
    """By direction the places of what a list is of, ascending."""
    wanted = Direction if plan.direction is None else (plan.direction,)
    found: list[Chosen] = []
    for direction in wanted:
        side, places = within(rows, direction, plan.interval)
        found.append((direction, side, _chosen(plan, rows, side, places)))
    return found


def _walk(
    direction: Direction, side: Side, places: Sequence[int], *, backward: bool = False
) -> Iterator[Place]:
    for place in reversed(places) if backward else places:
        kind, id_ = kind_at(side, place), side.id_at(place)
        yield side.units[place], side.times_ms[place], id_, direction.value, kind.value, place


def _chosen(plan: EntriesPlan, rows: Rows, side: Side, places: Sequence[int]) -> Sequence[int]:
    places = of_kind(side, with_other(rows, side, places, plan.counterparty_id), plan.kind)
    if plan.transaction_id is not None:
        raw = id_bytes(plan.transaction_id)
        places = [each for each in places if side.id_at(each) == raw]
    if plan.reverses is not None:
        taken_back = {id_bytes(each) for each in plan.reverses} - {None}
        places = [each for each in places if side.reversals.get(each) in taken_back]
    if plan.min_amount is not None:
        least = money.to_units(plan.min_amount)
        places = [each for each in places if side.units[each] >= least]
    if plan.max_amount is not None:
        most = money.to_units(plan.max_amount)
        places = [each for each in places if side.units[each] <= most]
    return places


def _entry(account_id: str, found: Place, rows: Rows, names: Sequence[str]) -> Entry:
    units, time_ms, raw, direction, kind, place = found
    side = side_of(rows, Direction(direction))
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
