"""What every store must answer, as Hypothesis strategies and one check: run on each real store."""

from __future__ import annotations

import random
import uuid
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from gateway.access.caller import Scope
from gateway.analytics.asking import StoreResult
from gateway.analytics.model import (
    Direction,
    Entry,
    Interval,
    RankBy,
    TransactionKind,
    TransactionSort,
)
from gateway.analytics.query_plan import (
    DistinctPlan,
    EntriesPlan,
    EntryKey,
    MatchesPlan,
    Place,
    QueryPlan,
    SlotRow,
    SlotsPlan,
    TopPlan,
    TotalsPlan,
)
from gateway.analytics.spread_plan import AmountRow, AmountsPlan, StepsPlan
from gateway.store.port import Answering
from tests.patience import PATIENCE_S
from tests.reference import evaluate
from tests.scopes import NETWORK, of

HOUR_MS = 3_600_000
ODD_IDS = (
    "alice",
    "Alice",
    "al  ice",
    "o'brien",
    "''",
    "' OR '1'='1",
    '"quoted"',
    "100%",
    "50%%",
    "%(name)s",
    "*",
    "back\\slash",
    "--",
    "/* no comment */",
    "a;b",
    "OPTION(timeoutMs=1)",
    "x OPTION(timeoutMs=1)",
    "naïve",
    "日本語",
    "\uff21",
    "😀",
    "😀'😀",
    "null",
    "0",
    "1e3",
    "x" * 64,
)
START_MS = 1_760_000_400_000  # a full hour, 2025-10-09
SPAN_MS = 72 * HOUR_MS

amounts = st.one_of(
    st.sampled_from(["0.00000001", "1", "1.5", "1.50", "999999999999999999.99999999"]),
    st.decimals(
        min_value=Decimal("0.00000001"),
        max_value=Decimal("999999999999999999.99999999"),
        places=8,
        allow_nan=False,
    ).map(lambda amount: f"{amount:f}"),
).map(Decimal)
times_ms = st.integers(START_MS, START_MS + SPAN_MS - 1)
ids = st.sampled_from(ODD_IDS)
anyone = st.one_of(st.none(), ids)
some_ids = st.frozensets(ids, min_size=1, max_size=6)
kinds = st.one_of(st.none(), st.sampled_from(TransactionKind))


def transfer(
    receiver: str, sender: str, transaction_id: str, amount: Decimal, time_ms: int
) -> tuple[Entry, Entry]:
    """The two entries of one transfer."""
    return (
        Entry(receiver, sender, Direction.RECEIVED, transaction_id, amount, time_ms),
        Entry(sender, receiver, Direction.SENT, transaction_id, amount, time_ms),
    )


def reversal(
    original: tuple[Entry, Entry], transaction_id: str, time_ms: int
) -> tuple[Entry, Entry]:
    """The two entries that take a transfer back."""
    received, sent = (
        replace(
            side,
            transaction_id=transaction_id,
            amount=-side.amount,
            event_time_ms=time_ms,
            kind=TransactionKind.REVERSAL,
            reverses=side.transaction_id,
        )
        for side in original
    )
    return received, sent


@st.composite
def entry_lists(draw: st.DrawFn, max_transfers: int = 40) -> list[Entry]:
    """The entries of some transfers between few odd accounts, with ties and self-transfers.

    Any of them may be reversed, at any time; so a window may hold the reversal alone. The reversal
    may have the id of another transfer, and its time.
    """
    entries: list[Entry] = []
    for number in range(draw(st.integers(0, max_transfers))):
        high = draw(st.integers(0, 7)) << 64
        transaction_id = str(uuid.UUID(int=high + number))
        moved = transfer(draw(ids), draw(ids), transaction_id, draw(amounts), draw(times_ms))
        entries += moved
        if draw(st.integers(0, 3)) == 0:
            taken_back = str(uuid.UUID(int=high + (1 << 32) + number))
            entries += reversal(moved, taken_back, draw(times_ms))
        elif len(entries) > 2 and draw(st.booleans()):
            # Of this transfer, under the id of the one before it, in its millisecond.
            namesake = entries[-3]
            if namesake.kind is TransactionKind.TRANSFER:
                entries += reversal(moved, namesake.transaction_id, namesake.event_time_ms)
    return entries


def random_entries(seed: int, transfers: int) -> list[Entry]:
    """The entries of many transfers between the odd accounts, with ties, for a store that stays.

    A fifth of them are reversed later.
    """
    chance = random.Random(seed)
    choices = ["0.00000001", "1", "1.0", "2.5", "999999999999999999.99999999"]
    found: list[Entry] = []
    for number in range(transfers):
        exact = f"{chance.randrange(10**18)}.{chance.randrange(1, 10**8):08d}"
        moved = transfer(
            chance.choice(ODD_IDS),
            chance.choice(ODD_IDS),
            str(uuid.UUID(int=chance.getrandbits(128))),
            Decimal(chance.choice([*choices, exact, exact])),
            START_MS + chance.randrange(SPAN_MS),
        )
        found += moved
        if number % 5 == 0:
            time_ms = chance.randrange(moved[0].event_time_ms, START_MS + SPAN_MS)
            found += reversal(moved, str(uuid.UUID(int=chance.getrandbits(128))), time_ms)
    return found


@st.composite
def intervals(draw: st.DrawFn) -> Interval:
    """Intervals aligned to hours and not, empty ones of data included."""
    if draw(st.booleans()):
        hours = sorted(draw(st.tuples(st.integers(-2, 74), st.integers(-2, 74))))
        return Interval(START_MS + hours[0] * HOUR_MS, START_MS + (hours[1] + 1) * HOUR_MS)
    edges = sorted(draw(st.tuples(times_ms, times_ms)))
    return Interval(edges[0], edges[1] + 1)


@st.composite
def scopes(draw: st.DrawFn) -> Scope:
    """The network, an account, or some as one."""
    chosen = draw(st.one_of(st.none(), some_ids, ids.map(lambda id_: frozenset({id_}))))
    return NETWORK if chosen is None else of(*chosen)


@st.composite
def top_plans(
    draw: st.DrawFn, scope: Scope, direction: Direction, interval: Interval, outside: bool
) -> TopPlan:
    """Rankings from the first and from any place, the largest and the smallest."""
    signed = st.one_of(amounts, amounts.map(lambda amount: -amount), st.just(Decimal(0)))
    places = st.builds(Place, st.integers(1, 9), ids, st.integers(0, 9), signed)
    return TopPlan(
        scope,
        direction,
        interval,
        draw(st.sampled_from(RankBy)),
        draw(st.integers(1, 8)),
        draw(st.one_of(st.none(), some_ids)),
        outside,
        draw(st.booleans()),
        draw(st.one_of(st.none(), places)),
        draw(kinds),
    )


@st.composite
def plans(draw: st.DrawFn) -> QueryPlan[Any]:
    """Plans of every shape over the entries."""
    interval = draw(intervals())
    direction = draw(st.sampled_from(Direction))
    account_id = draw(st.one_of(st.none(), ids))
    scope, outside = draw(scopes()), draw(st.booleans())
    match draw(st.integers(-2, 6)):
        case -2:
            return StepsPlan(scope, direction, interval, outside)
        case -1:
            return AmountsPlan(scope, direction, interval, draw(st.integers(1, 60)), outside)
        case 0:
            directions = draw(st.frozensets(st.sampled_from(Direction), min_size=1))
            by_kind, other = draw(st.booleans()), draw(anyone)
            return TotalsPlan(scope, directions, interval, by_kind, other, outside)
        case 1:
            return DistinctPlan(scope, direction, interval, outside)
        case 2:
            return draw(top_plans(scope, direction, interval, outside))
        case 3:
            slot_ms = draw(st.sampled_from([60_000, 900_000, HOUR_MS, 24 * HOUR_MS]))
            whole_hours = st.integers(-40, 90).map(lambda hours: START_MS + hours * HOUR_MS)
            origin = st.one_of(whole_hours, times_ms)
            origins = sorted(draw(st.sets(origin, max_size=draw(st.integers(0, 3)))))
            return SlotsPlan(
                scope,
                draw(st.one_of(st.none(), st.just(direction))),
                interval,
                slot_ms,
                tuple(origins),
                draw(anyone),
                outside,
                draw(st.booleans()),
                draw(st.one_of(st.none(), some_ids)),
            )
        case 4:
            listed = draw(entry_plans(account_id or "alice", interval))
            return MatchesPlan(listed.scope, listed)
        case _:
            return draw(entry_plans(account_id or "alice", interval))


@st.composite
def entry_plans(draw: st.DrawFn, account_id: str, interval: Interval) -> EntriesPlan:
    """Pages of one account, from the start and from any place."""
    transaction_ids = st.integers(0, 40).map(lambda number: str(uuid.UUID(int=number)))
    directions, all_kinds = st.sampled_from(Direction), st.sampled_from(TransactionKind)
    signed = st.one_of(amounts, amounts.map(lambda amount: -amount))
    keys = st.builds(EntryKey, times_ms, transaction_ids, directions, all_kinds, signed)
    bound = st.one_of(st.none(), st.none(), signed)
    reversed_ids = st.frozensets(transaction_ids, min_size=1, max_size=9)
    return EntriesPlan(
        of(account_id),
        draw(st.one_of(st.none(), st.sampled_from(Direction))),
        draw(anyone),
        interval,
        draw(st.one_of(st.none(), keys)),
        draw(st.integers(1, 10)),
        draw(kinds),
        draw(st.sampled_from(TransactionSort)),
        draw(bound),
        draw(bound),
        draw(st.one_of(st.none(), st.none(), st.none(), transaction_ids)),
        draw(st.one_of(st.none(), st.none(), st.none(), reversed_ids)),
    )


async def check(
    store: Answering, entries: Sequence[Entry], plan: QueryPlan[Any]
) -> StoreResult[Any]:
    """The store's result, whose rows are the reference's, to the last digit and in the same order."""
    result = await store.fetch(plan, PATIENCE_S)
    expected = evaluate(plan, entries)
    found = list(result.rows)
    if isinstance(plan, TotalsPlan):
        found = sorted((row for row in found if row.transaction_count), key=repr)
        expected = sorted(expected, key=repr)
        assert [_normal(row) for row in found] == [_normal(row) for row in expected]
    elif isinstance(plan, AmountsPlan):
        assert sorted(found, key=_amount) == expected
    elif isinstance(plan, SlotsPlan):
        assert [row.start_ms for row in found] == [row.start_ms for row in expected]
        assert sorted(found, key=_apart) == sorted(expected, key=_apart)
    else:
        assert found == expected
    assert result.inexact is None
    return result


def _normal(row: Any) -> tuple[Any, ...]:
    count, amount = row.transaction_count, row.transaction_amount
    return row.account_id, row.direction, row.kind, count, amount


def _apart(row: SlotRow) -> tuple[int, str]:
    """Where a row of slots stands, whatever the order of those told apart within one."""
    return row.start_ms, f"{row.direction} {row.kind} {row.counterparty_id}"


def _amount(row: AmountRow) -> Decimal:
    return row.amount
