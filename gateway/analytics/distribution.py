"""How large single transfers are: the extremes, percentiles and a histogram, exact or estimated within a bound.

Up to `MAX_EXACT` transfers all amounts are looked at. Of more, only how many stand in each step of 2 %: an
amount is then told as the middle of its step, which is at most `RELATIVE_ERROR` of it away (DDSketch; Masson,
Rim and Lee, 2019).
"""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_CEILING, ROUND_HALF_EVEN, Context, Decimal
from enum import Enum
from functools import lru_cache
from itertools import accumulate, pairwise

from gateway.analytics.answers import Evidence
from gateway.analytics.model import (
    Calendar,
    Direction,
    TransactionKind,
    TransactionSort,
    Whose,
    Window,
    WindowChoice,
)
from gateway.analytics.query_plan import EntriesPlan
from gateway.analytics.questions import Analytics, evidence_of
from gateway.analytics.spread_plan import AmountsPlan, StepsPlan
from gateway.analytics.totals import measures_of, reversals_of
from gateway.errors import BadUserInputError, PartialAnswerError
from gateway.process import beside

MAX_EXACT = 10_000
RELATIVE_ERROR = Decimal("0.01")
"""A little more than the half of a step, 0.0099, which leaves room for logarithms in doubles."""
MAX_PERCENTILES = 20
MAX_BUCKETS = 100
STEP_ITEMS = 5
"""A step's middle takes as long as so many of what comes from a store; there are some 3,000 steps."""
_GROWTH = Decimal("1.02")
_PLACES = Decimal("1e-8")
_ROUNDED = Context(prec=60, rounding=ROUND_HALF_EVEN)
_SHOWN = Context(prec=10, rounding=ROUND_HALF_EVEN)


class Scale(Enum):
    """How a histogram's buckets are cut: of equal length, or each end the same multiple of its start."""

    LINEAR = "LINEAR"
    LOGARITHMIC = "LOGARITHMIC"


@dataclass(frozen=True, slots=True)
class DistributionQuestion:
    """Whose transfers, when, and on which side."""

    whose: Whose
    choice: WindowChoice
    calendar: Calendar
    direction: Direction


@dataclass(frozen=True, slots=True)
class Distribution:
    """Some transfers, whose amounts are asked for; `is_exact` if they are few enough to look at each."""

    question: DistributionQuestion
    window: Window
    evidence: Evidence
    transfers: int
    snapshot: int

    @property
    def is_exact(self) -> bool:
        """Whether percentiles and histograms are."""
        return self.transfers <= MAX_EXACT


@dataclass(frozen=True, slots=True)
class HistogramBucket:
    """How many transfers are from `start` up to `end`, which only the last bucket includes."""

    start: Decimal
    end: Decimal
    transfers: int


@dataclass(frozen=True, slots=True)
class _Counted:
    """Ascending amounts between two that are exact, and how many transfers there are up to each."""

    least: Decimal
    most: Decimal
    amounts: Sequence[Decimal]
    up_to: Sequence[int]


async def distribution(analytics: Analytics, question: DistributionQuestion) -> Distribution:
    """How many transfers there are; what they are like is asked for when it is known."""
    window = analytics.window(question.choice, question.calendar)
    plan = analytics.totals_plan(question.whose, {question.direction}, window.interval)
    result = await analytics.store.fetch(replace(plan, by_kind=True))
    measures = measures_of(result.rows, question.direction)
    taken_back = reversals_of(result.rows, question.direction)
    return Distribution(
        question=question,
        window=window,
        evidence=evidence_of(result),
        transfers=measures.transaction_count - taken_back.transaction_count,
        snapshot=result.snapshot,
    )


async def extreme(
    analytics: Analytics, found: Distribution, order: TransactionSort
) -> Decimal | None:
    """The smallest or the largest amount, exact; none without transfers."""
    if not found.transfers:
        return None
    plan = EntriesPlan(
        analytics.scope(found.question.whose),
        found.question.direction,
        None,
        found.window.interval,
        None,
        1,
        TransactionKind.TRANSFER,
        order,
    )
    rows = (await analytics.store.fetch(plan)).rows
    return rows[0].amount if rows else None


async def percentiles(
    analytics: Analytics, found: Distribution, wanted: Sequence[float]
) -> tuple[Decimal | None, ...]:
    """Each percentile by nearest rank: the smallest amount that so many of a hundred transfers do not exceed."""
    if not 1 <= len(wanted) <= MAX_PERCENTILES:
        raise BadUserInputError("of", f"1 to {MAX_PERCENTILES} percentiles, not {len(wanted)}")
    for each in wanted:
        if not 0 <= each <= 100:
            raise BadUserInputError("of", f"a percentile is 0 to 100, not {each}")
    counted = await _counted(analytics, found)
    return tuple(None if counted is None else _percentile(counted, each) for each in wanted)


async def histogram(
    analytics: Analytics, found: Distribution, buckets: int, scale: Scale
) -> tuple[HistogramBucket, ...]:
    """The transfers by amount, from the smallest to the largest; fewer buckets where edges would coincide."""
    if not 1 <= buckets <= MAX_BUCKETS:
        raise BadUserInputError("buckets", f"must be 1 to {MAX_BUCKETS}, not {buckets}")
    counted = await _counted(analytics, found)
    if counted is None:
        return ()
    edges = edges_of(counted.least, counted.most, buckets, scale)
    inner = [_below(counted, edge) for edge in edges[1:-1]]
    return tuple(
        HistogramBucket(start, end, last - first)
        for (start, end), (first, last) in zip(
            pairwise(edges), pairwise([0, *inner, counted.up_to[-1]]), strict=True
        )
    )


def edges_of(least: Decimal, most: Decimal, buckets: int, scale: Scale) -> tuple[Decimal, ...]:
    """Where buckets begin and end, to 8 decimals; the outer edges are the amounts themselves."""
    if least == most:
        return least, most
    span = _ROUNDED.subtract(most, least)
    ratio = _ROUNDED.ln(_ROUNDED.divide(most, least))
    inner = []
    for number in range(1, buckets):
        part = _ROUNDED.divide(Decimal(number), Decimal(buckets))
        if scale is Scale.LINEAR:
            at = _ROUNDED.add(least, _ROUNDED.multiply(span, part))
        else:
            at = _ROUNDED.multiply(least, _ROUNDED.exp(_ROUNDED.multiply(ratio, part)))
        inner.append(_ROUNDED.quantize(at, _PLACES))
    between = [each for each in dict.fromkeys(inner) if least < each < most]
    return least, *between, most


@lru_cache(maxsize=4_096)
def middle(step: int) -> Decimal:
    """An amount no farther from any in its step than `RELATIVE_ERROR` of that."""
    above = _ROUNDED.power(_GROWTH, Decimal(step))
    return _SHOWN.divide(_ROUNDED.multiply(2, above), _ROUNDED.add(_GROWTH, 1))


def _percentile(counted: _Counted, wanted: float) -> Decimal:
    share = _ROUNDED.divide(Decimal(repr(wanted)), Decimal(100))
    exact_rank = _ROUNDED.multiply(share, Decimal(counted.up_to[-1]))
    rank = max(1, int(exact_rank.to_integral_value(ROUND_CEILING)))
    if rank == counted.up_to[-1]:
        return counted.most
    return counted.least if rank == 1 else counted.amounts[bisect_left(counted.up_to, rank)]


def _below(counted: _Counted, edge: Decimal) -> int:
    """How many transfers are below an edge."""
    at = bisect_left(counted.amounts, edge)
    return counted.up_to[at - 1] if at else 0


async def _counted(analytics: Analytics, found: Distribution) -> _Counted | None:
    """The amounts, once for all that is asked of one distribution; none without transfers."""
    if not found.transfers:
        return None
    make = _each if found.is_exact else _by_steps
    return await analytics.store.once(found, lambda: make(analytics, found))


async def _each(analytics: Analytics, found: Distribution) -> _Counted:
    question = found.question
    plan = AmountsPlan(
        analytics.scope(question.whose),
        question.direction,
        found.window.interval,
        2 * MAX_EXACT,  # some may have come since they were counted
        question.whose.outside,
    )
    rows = (await analytics.store.fetch(plan, found.snapshot)).rows
    if not rows:
        raise PartialAnswerError(
            f"more than {2 * MAX_EXACT} transfers where there were {found.transfers}"
        )
    amounts = await beside.done(len(rows), lambda: sorted(row.amount for row in rows))
    return _Counted(amounts[0], amounts[-1], amounts, range(1, len(amounts) + 1))


async def _by_steps(analytics: Analytics, found: Distribution) -> _Counted:
    question = found.question
    plan = StepsPlan(
        analytics.scope(question.whose),
        question.direction,
        found.window.interval,
        question.whose.outside,
    )
    least, most, steps = await asyncio.gather(
        extreme(analytics, found, TransactionSort.AMOUNT_ASCENDING),
        extreme(analytics, found, TransactionSort.AMOUNT_DESCENDING),
        analytics.store.fetch(plan, found.snapshot),
    )
    if least is None or most is None or not steps.rows:
        raise PartialAnswerError(f"no amounts where there were {found.transfers} transfers")
    bounds = least, most
    amounts = await beside.done(
        STEP_ITEMS * len(steps.rows),
        lambda: [max(bounds[0], min(bounds[1], middle(row.step))) for row in steps.rows],
    )
    up_to = list(accumulate(row.transfer_count for row in steps.rows))
    return _Counted(least, most, amounts, up_to)
