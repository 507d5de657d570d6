"""Rankings of accounts with very many counterparties: few cohorts are ranked in full, not everyone.

A cohort is all counterparties whose ids have one 32-bit hash: nearly always a single one. Grouping
by that number and adding doubles costs Pinot a fraction of grouping by text and adding decimals.
What it finds is only where to look: the estimates are transfers' amounts without the reversals that
lower them, so nobody exceeds their cohort's sum, and the members of the first cohorts, measured
exactly, are the ranking if the last of them is beyond the next cohort's sum with its rounding. The
threshold algorithm's stop rule (Fagin et al., 2001).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from decimal import Decimal

from gateway.analytics.model import RankBy
from gateway.analytics.query_plan import GroupRow, TopPlan
from gateway.errors import StoreUnavailableError
from gateway.store.pinot import response
from gateway.store.pinot.response import BrokerAnswer, Cells

SPARE = 53
"""Cohorts looked into beyond those that are needed at least."""
GROWTH = 8
MOST = 4_096
"""Cohorts in one statement; a ranking that they do not settle is made in full."""
_UNIT_ROUNDOFF = Decimal(2) ** -53

AskCohorts = Callable[[int], Awaitable[BrokerAnswer]]
"""Asks for the first so many cohorts."""
RankMembers = Callable[[tuple[int, ...]], Awaitable[tuple[tuple[GroupRow, ...], BrokerAnswer]]]
"""Ranks the members of these cohorts exactly."""


@dataclass(frozen=True, slots=True)
class Cohort:
    """One hash's transactions, and roughly how much money at most: reversals are not subtracted."""

    hash: int
    transaction_count: int
    amount_estimate: float


@dataclass(frozen=True, slots=True)
class Settled:
    """A proven ranking, the answer it came in, and how many rows the account has there.

    `looked_into`: the cohorts whose members were ranked. `beyond`: the first other one, if any.
    """

    rows: tuple[GroupRow, ...]
    answer: BrokerAnswer
    rows_in_window: int
    looked_into: tuple[int, ...]
    beyond: Cohort | None


async def rank(plan: TopPlan, ask: AskCohorts, rank_members: RankMembers) -> Settled | None:
    """The plan's rows, if few cohorts settle them.

    Rows that arrive between the two statements do no harm: the ranking is that of the rows that the
    first one saw, with the later ones of the cohorts looked into.
    """
    width = plan.limit + max(plan.limit // 2, SPARE)
    while width <= MOST:
        answer = await ask(width + 1)
        if answer.servers > 1 or answer.groups_cut:
            # Each server ranks what it has: together they prove nothing.
            return None
        cohorts = tuple(cohort_of(cells) for cells in answer.rows)
        if not cohorts:
            return Settled((), answer, answer.docs_scanned, (), None)
        chosen = tuple(cohort.hash for cohort in cohorts[:width])
        beyond = cohorts[width] if len(cohorts) > width else None
        rows, members = await rank_members(chosen)
        if beyond is None or settles(plan, rows, beyond, answer.docs_scanned):
            return Settled(rows, members, answer.docs_scanned, chosen, beyond)
        width *= GROWTH
    return None


def settles(plan: TopPlan, rows: tuple[GroupRow, ...], beyond: Cohort, rows_added: int) -> bool:
    """Whether nobody of `beyond`, or of a cohort after it, can stand among these rows.

    A sum of n doubles that are 0 or more is at most a factor of 1 + 2n·2⁻⁵³ too small (Higham, Accuracy and
    Stability of Numerical Algorithms, 4.2), which covers the reading of the decimals too.
    """
    if len(rows) < plan.limit:
        return False
    last = rows[plan.limit - 1]
    most = Decimal(beyond.amount_estimate) * (1 + 2 * (rows_added + 1) * _UNIT_ROUNDOFF)
    by_count = plan.order_by is RankBy.TRANSACTION_COUNT
    if by_count and last.transaction_count != beyond.transaction_count:
        return last.transaction_count > beyond.transaction_count
    # In a cohort of as many transactions as one of its members has, there is nobody else.
    return last.transaction_amount > most


def cohort_of(cells: Cells) -> Cohort:
    """A row of cohort, count, estimated amount."""
    number, count, estimate = cells
    if not isinstance(estimate, float):
        raise StoreUnavailableError(f"an estimate was expected, not {type(estimate).__name__}")
    return Cohort(response.whole(number), response.whole(count), estimate)
