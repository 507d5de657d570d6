"""Which of an account's rows a plan is about: their places on a side, ascending."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from gateway.analytics.model import Direction, Interval, TransactionKind
from gateway.analytics.query_plan import DistinctPlan, SlotsPlan, TopPlan, TotalsPlan
from gateway.store.rows.held import Rows, Side


def side_of(rows: Rows, direction: Direction) -> Side:
    """The rows of one direction."""
    return rows.received if direction is Direction.RECEIVED else rows.sent


def within(rows: Rows, direction: Direction, interval: Interval) -> tuple[Side, Sequence[int]]:
    """A side, and the places of its rows in an interval, ascending."""
    side = side_of(rows, direction)
    return side, range(*side.within(interval))


def taken(column: Sequence[int], places: Sequence[int]) -> Sequence[int]:
    """What stands in a column at these places."""
    if isinstance(places, range):
        return column[places.start : places.stop]
    return [column[place] for place in places]


def outside(
    plan: TotalsPlan | DistinctPlan | TopPlan | SlotsPlan,
    rows: Rows,
    side: Side,
    places: Sequence[int],
) -> Sequence[int]:
    """Without those that have one of the plan's accounts on the other side, if it leaves them out."""
    if not plan.outside or plan.scope.account_ids is None:
        return places
    inside = places_of(rows, plan.scope.account_ids)
    return [each for each in places if side.who[each] not in inside] if inside else places


def with_other(rows: Rows, side: Side, places: Sequence[int], name: str | None) -> Sequence[int]:
    """Those with this account on the other side; all, if none is named."""
    if name is None:
        return places
    only = places_of(rows, (name,))
    return [each for each in places if side.who[each] in only]


def of_kind(side: Side, places: Sequence[int], kind: TransactionKind | None) -> Sequence[int]:
    """Those of a kind; all, if none is named."""
    if kind is None or (kind is TransactionKind.TRANSFER and not side.reversals):
        return places
    back = kind is TransactionKind.REVERSAL
    return [each for each in places if (each in side.reversals) is back]


def kind_at(side: Side, place: int) -> TransactionKind:
    """What a row is."""
    return TransactionKind.REVERSAL if place in side.reversals else TransactionKind.TRANSFER


def places_of(rows: Rows, names: Collection[str]) -> frozenset[int]:
    """The places of those of some counterparties that there are."""
    return frozenset(place for place, name in enumerate(rows.names) if name in names)
