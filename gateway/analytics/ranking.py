"""Rankings, page by page: the rows, and where they stood before."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from decimal import Decimal

from gateway.analytics.answers import Evidence, Measures, RankChange, Ranked, Ranking
from gateway.analytics.cursor import Cursor, fingerprint
from gateway.analytics.limits import MAX_COMPARED_RANK, MAX_RANK, check_first
from gateway.analytics.model import (
    Calendar,
    Compared,
    Direction,
    Interval,
    RankBy,
    Whose,
    Window,
    WindowChoice,
)
from gateway.analytics.query_plan import GroupRow, Place, TopPlan
from gateway.analytics.questions import Analytics, evidence_of, merge
from gateway.analytics.slots import NOTHING
from gateway.errors import BadUserInputError, ForbiddenError

PLACE_PARTS = 6
"""Of a cursor's place: rank, account, count, amount, and the window compared with."""


@dataclass(frozen=True, slots=True)
class RankingQuestion:
    """Whose counterparties (of the network: all accounts), by what, how many behind which."""

    whose: Whose
    choice: WindowChoice
    calendar: Calendar
    direction: Direction
    first: int
    order_by: RankBy
    compare_to: Compared | None
    ascending: bool = False
    after: str | None = None

    @property
    def name(self) -> str:
        """The fingerprint of the ranking that pages are of."""
        ids = self.whose.account_ids
        return fingerprint(
            "ranking",
            None if ids is None else sorted(ids),
            self.whose.outside,
            self.choice,
            self.calendar.zone.key,
            self.calendar.week_start,
            self.calendar.year_start_month,
            self.direction,
            self.order_by,
            self.compare_to,
            self.ascending,
        )


@dataclass(frozen=True, slots=True)
class _Page:
    """What a page is of: its window, the one compared with, and behind which place it stands."""

    window: Window
    compared: Window | None
    after: Place | None


def account_at(place: tuple[str | int, ...]) -> str | None:
    """The account that a cursor of a ranking stands at, as its caller was shown it; none of a list's cursor."""
    return str(place[1]) if len(place) == PLACE_PARTS else None


async def rank(analytics: Analytics, question: RankingQuestion) -> Ranking:
    """The rows of a page, numbered; one more is asked for, to know whether there are others.

    A cursor goes on in the windows that the first page had, up to that page's `asOf`.
    """
    first = check_first(question.first, analytics.limits.max_first)
    page = _page(analytics, question)
    plan = TopPlan(
        analytics.scope(question.whose),
        question.direction,
        page.window.interval,
        question.order_by,
        first + 1,
        outside=question.whose.outside,
        ascending=question.ascending,
        after=page.after,
    )
    result = await analytics.store.fetch(plan)
    passed = 0 if page.after is None else page.after.rank
    rows = numbered(result.rows[:first], passed)
    evidence = evidence_of(result)
    if page.compared is not None and rows:
        rows, earlier_evidence = await compared(analytics, plan, page.compared.interval, rows)
        evidence = merge((evidence, earlier_evidence))
    more = len(result.rows) > first
    return Ranking(
        whose=question.whose,
        asked=plan,
        first=first,
        window=page.window,
        compared=page.compared,
        evidence=evidence,
        rows=rows,
        whole=page.after is None and not more,
        snapshot=result.snapshot,
        cursors=_cursors(analytics, question, page, evidence.as_of_ms, rows),
        has_next=more and passed + first < MAX_RANK,
        has_previous=page.after is not None,
    )


async def compared(
    analytics: Analytics, plan: TopPlan, before: Interval, rows: tuple[Ranked, ...]
) -> tuple[tuple[Ranked, ...], Evidence]:
    """The rows with where they stood before, as far as the first ranks of then reach."""
    ids = frozenset(row.account_id for row in rows)
    then = earlier_plan(plan, before)
    among = replace(then, among=ids, limit=len(ids))
    ranked, measured = await asyncio.gather(
        analytics.store.fetch(then), analytics.store.fetch(among)
    )
    ranks = {row.account_id: number for number, row in enumerate(ranked.rows, start=1)}
    previous = {row.account_id: _measures(row) for row in measured.rows}
    found = tuple(
        replace(
            row,
            comparison=_change(row, ranks.get(row.account_id), previous.get(row.account_id)),
        )
        for row in rows
    )
    return found, merge((evidence_of(ranked), evidence_of(measured)))


def earlier_plan(plan: TopPlan, before: Interval) -> TopPlan:
    """The same ranking over an earlier window, from its first rank on, as far as ranks are compared."""
    return replace(plan, interval=before, after=None, limit=MAX_COMPARED_RANK)


def numbered(rows: tuple[GroupRow, ...], passed: int = 0) -> tuple[Ranked, ...]:
    """The rows with their ranks, behind so many."""
    return tuple(
        Ranked(number, row.account_id, _measures(row), None)
        for number, row in enumerate(rows, start=passed + 1)
    )


def placed(rows: tuple[GroupRow, ...], account_id: str) -> Ranked | None:
    """One account's row with its rank; of the others, who may be thousands, nothing is made."""
    for number, row in enumerate(rows, start=1):
        if row.account_id == account_id:
            return Ranked(number, account_id, _measures(row), None)
    return None


def _page(analytics: Analytics, question: RankingQuestion) -> _Page:
    """Raises `BadUserInputError` for a cursor that is none of this question and caller."""
    asked = analytics.window(question.choice, question.calendar)
    before = analytics.compared(question.choice, asked, question.compare_to)
    if question.after is None:
        return _Page(asked, before, None)
    cursor = analytics.cursors.decode(
        question.after, question.name, analytics.limits.max_window_days
    )
    rank_, shown, count, amount, start_ms, end_ms = cursor.place
    try:
        account_id = analytics.named(str(shown), "after")
    except ForbiddenError:
        account_id = None
    if account_id is None:
        raise BadUserInputError(
            "after", "was made for another caller; ask for the first page anew, without `after`"
        )
    if int(rank_) >= MAX_RANK:
        raise BadUserInputError(
            "after",
            f"stands at rank {rank_}, and pages go up to {MAX_RANK:,}; ask for a shorter window",
        )
    if before is not None:
        before = replace(before, interval=Interval(int(start_ms), int(end_ms)))
    place = Place(int(rank_), account_id, int(count), Decimal(amount))
    return _Page(replace(asked, interval=cursor.interval), before, place)


def _cursors(
    analytics: Analytics,
    question: RankingQuestion,
    page: _Page,
    as_of_ms: int,
    rows: tuple[Ranked, ...],
) -> tuple[str, ...]:
    """Of the first and the last row; ids are in them as the caller is shown them."""
    interval = page.window.interval
    end_ms = max(interval.start_ms, min(interval.end_ms, as_of_ms))
    then = Interval(0, 0) if page.compared is None else page.compared.interval
    return tuple(
        analytics.cursors.encode(
            Cursor(
                question.name,
                Interval(interval.start_ms, end_ms),
                (
                    row.rank,
                    analytics.masking.shown(analytics.caller, row.account_id),
                    row.measures.transaction_count,
                    str(row.measures.transaction_amount),
                    then.start_ms,
                    then.end_ms,
                ),
            )
        )
        for row in (*rows[:1], *rows[-1:])
    )


def _change(row: Ranked, previous_rank: int | None, previous: Measures | None) -> RankChange:
    return RankChange(
        previous_rank=previous_rank,
        previous=previous or NOTHING,
        rank_change=None if previous_rank is None else previous_rank - row.rank,
        is_new=previous is None,
    )


def _measures(row: GroupRow) -> Measures:
    return Measures(row.transaction_count, row.transaction_amount)
