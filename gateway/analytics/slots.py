"""Slots: even stretches of time that a store sums up, so that each bucket of a series is some of them; pure."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from gateway.analytics import money
from gateway.analytics.answers import Measures, SeriesPoint
from gateway.analytics.calendars import DAY_MS
from gateway.analytics.model import Bucket, TransactionKind
from gateway.analytics.query_plan import SlotRow, TotalsRow

ORIGIN_SLOTS = 700
"""So many slots take as long as one origin more, which may be a statement of its own."""
MOST_ORIGINS = 40
NOTHING = Measures(0, money.ZERO)
_WHOLE_HISTORY_MS = 10_000 * 365 * DAY_MS


class Grid(NamedTuple):
    """Slots of a width, counted anew from each origin; without origins, from the epoch's start."""

    slot_ms: int
    origins: tuple[int, ...]


@lru_cache(maxsize=32)
def grid(edges: tuple[int, ...]) -> Grid:
    """The slots that no edge between two buckets divides, as cheap as they come.

    Days of a zone whose clock is changed begin on one grid up to the change and on another after it:
    either slots are as fine as fits both, or they begin anew.
    """
    inner = edges[1:-1]
    if not inner:
        return Grid(_WHOLE_HISTORY_MS, ())
    lengths = [right - left for left, right in pairwise(inner)]
    usual_ms = Counter(lengths).most_common(1)[0][0] if lengths else _WHOLE_HISTORY_MS
    finest = Grid(math.gcd(*lengths) or _WHOLE_HISTORY_MS, inner[:1])
    tried = (Grid(width_ms, _origins(inner, width_ms)) for width_ms in (usual_ms, DAY_MS))
    found = min(
        (finest, *(each for each in tried if len(each.origins) <= MOST_ORIGINS)),
        key=lambda each: (inner[-1] - inner[0]) // each.slot_ms + ORIGIN_SLOTS * len(each.origins),
    )
    is_epochs = all(origin % found.slot_ms == 0 for origin in found.origins)
    return found._replace(origins=()) if is_epochs else found


def _origins(inner: tuple[int, ...], width_ms: int) -> tuple[int, ...]:
    """Where slots of a width begin anew, so that there is one at each edge."""
    found = [inner[0]]
    for edge in inner:
        if (edge - found[-1]) % width_ms:
            found.append(edge)
    return tuple(found)


def fold(
    cut: tuple[Bucket, ...], rows: Sequence[SlotRow], *, by_kind: bool = False
) -> tuple[SeriesPoint, ...]:
    """Ascending slots summed into ascending buckets; `by_kind`: the reversals among them, too."""
    starts = [each.start_ms for each in rows]
    points: list[SeriesPoint] = []
    start, nothing_reversed = 0, NOTHING if by_kind else None
    for bucket in cut:
        if start == len(rows) or starts[start] >= bucket.end_ms:
            points.append(SeriesPoint(bucket, NOTHING, nothing_reversed))
            continue
        end = bisect_left(starts, bucket.end_ms, start)
        inside = rows[start:end]
        reversals = reversals_in(inside) if by_kind else None
        points.append(SeriesPoint(bucket, summed(inside), reversals))
        start = end
    return tuple(points)


def reversals_in(rows: Sequence[TotalsRow | SlotRow]) -> Measures:
    """How many of rows by kind are reversals, and what they took back, as a positive amount."""
    found = summed([row for row in rows if row.kind is TransactionKind.REVERSAL])
    return Measures(found.transaction_count, money.subtract(money.ZERO, found.transaction_amount))


def summed(rows: Sequence[TotalsRow | SlotRow | Measures]) -> Measures:
    """The rows' measures added up."""
    if len(rows) == 1:  # the most of totals and of a long series: nothing to add
        return Measures(rows[0].transaction_count, rows[0].transaction_amount)
    return Measures(
        sum([row.transaction_count for row in rows]),
        money.add([row.transaction_amount for row in rows]),
    )
