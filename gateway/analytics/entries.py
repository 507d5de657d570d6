"""Pages of single entries, by a keyset that neither skips nor repeats while rows arrive; single ones by their id."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial

from gateway.analytics.answers import EntryPage, Evidence
from gateway.analytics.asking import StoreResult
from gateway.analytics.cursor import Cursor, fingerprint
from gateway.analytics.limits import check_first
from gateway.analytics.model import (
    Calendar,
    Direction,
    Entry,
    Interval,
    TransactionKind,
    TransactionSort,
    Whose,
    Window,
    WindowChoice,
)
from gateway.analytics.query_plan import EntriesPlan, EntryKey, MatchesPlan
from gateway.analytics.questions import Analytics, evidence_of
from gateway.analytics.window import EARLIEST_MS, LATEST_MS
from gateway.errors import BadUserInputError
from gateway.process import beside

CURSOR_ITEMS = 2
"""To make a cursor takes as long as to make so many entries of a store's."""
USUAL = 20
"""Entries of a page whose size is not said."""
ALL_TIME = Interval(EARLIEST_MS, LATEST_MS)
SAME_ID = 4
"""Entries of an account with one transaction id, at most: both sides of a transfer to oneself, and of a
reversal of another one under the same id. Of reversals of one transfer there are two at most."""


@dataclass(frozen=True, slots=True)
class EntriesQuestion:
    """Which of an account's entries, in which order, and how many after (or before) which.

    `last` of a number asks for the end of the list, or for what stands before `before`.
    """

    account_id: str
    choice: WindowChoice
    calendar: Calendar
    direction: Direction | None
    counterparty_id: str | None
    kind: TransactionKind | None
    first: int
    after: str | None
    last: int | None = None
    before: str | None = None
    order: TransactionSort = TransactionSort.TIME_DESCENDING
    min_amount: Decimal | None = None
    max_amount: Decimal | None = None

    @property
    def name(self) -> str:
        """The fingerprint of the list that pages are of."""
        return fingerprint(
            self.account_id,
            self.choice,
            self.calendar.zone.key,
            self.calendar.week_start,
            self.calendar.year_start_month,
            self.direction,
            self.counterparty_id,
            self.kind,
            self.order,
            self.min_amount,
            self.max_amount,
        )


def forward(first: int | None, last: int | None) -> int:
    """How many are asked for from the start; raises `BadUserInputError` for a number from either end."""
    if first is not None and last is not None:
        raise BadUserInputError("last", "give either first or last, not both")
    return USUAL if first is None else first


async def page(analytics: Analytics, question: EntriesQuestion) -> EntryPage:
    """One page; a cursor goes on in the window that the first page had.

    That ends at the first page's `asOf`: of what is younger more may come, between rows already shown.
    """
    size = _size(question, analytics.limits.max_first)
    name, backward = question.name, question.last is not None
    plan = EntriesPlan(
        analytics.scope(_of(question.account_id)),
        question.direction,
        analytics.named(question.counterparty_id),
        analytics.window(question.choice, question.calendar).interval,
        None,
        size + 1,
        question.kind,
        question.order.reverse if backward else question.order,
        question.min_amount,
        question.max_amount,
    )
    text, argument = (question.before, "before") if backward else (question.after, "after")
    if text is None:
        plan, result = await _up_to_as_of(analytics, plan)
    else:
        max_days = analytics.limits.max_window_days
        place = analytics.cursors.decode(text, name, max_days, argument)
        plan = replace(plan, interval=place.interval, after=_key_of(place.place))
        result = await analytics.store.fetch(plan)
    entries = result.rows[:size]
    more, passed = len(result.rows) > size, text is not None
    if backward:
        entries = entries[::-1]
    cursors = await beside.done(
        CURSOR_ITEMS * len(entries), partial(_cursors, analytics, name, plan.interval, entries)
    )
    return EntryPage(
        account_id=question.account_id,
        listed=plan,
        window=Window(plan.interval, question.calendar),
        evidence=evidence_of(result),
        entries=entries,
        cursors=cursors,
        has_next=passed if backward else more,
        has_previous=more if backward else passed,
    )


async def total_count(analytics: Analytics, page: EntryPage) -> int:
    """How many entries the pages of a list hold together."""
    listed = page.listed
    if not isinstance(listed, EntriesPlan):
        raise TypeError("a single entry is no list")
    whole = replace(listed, after=None, limit=1, order=TransactionSort.TIME_DESCENDING)
    return (await analytics.store.fetch(MatchesPlan(whole.scope, whole))).rows[0].count


async def single(
    analytics: Analytics, account_id: str, transaction_id: str, calendar: Calendar
) -> EntryPage:
    """The account's entry of a transaction id, alone on a page; none if it has no such entry.

    Of a transfer and a reversal with one id it is the transfer, of a transfer to oneself the received
    side.
    """
    plan = EntriesPlan(
        analytics.scope(_of(account_id)),
        None,
        None,
        ALL_TIME,
        None,
        SAME_ID,
        transaction_id=transaction_id,
    )
    result = await analytics.store.fetch(plan)
    found = sorted(
        result.rows,
        key=lambda each: (
            each.kind is TransactionKind.REVERSAL,
            each.direction is Direction.SENT,
        ),
    )
    return EntryPage(
        account_id=account_id,
        listed=None,
        window=Window(ALL_TIME, calendar),
        evidence=Evidence(result.as_of_ms, result.inexact),
        entries=tuple(found[:1]),
        cursors=(),
        has_next=False,
        has_previous=False,
    )


async def reversed_by(analytics: Analytics, page: EntryPage, entry: Entry) -> tuple[Entry, ...]:
    """The reversals of one of a page's entries; those of all of them come out of one query."""
    if entry.kind is TransactionKind.REVERSAL:
        return ()
    found = await analytics.store.once(page, lambda: _reversals(analytics, page))
    return tuple(
        each
        for each in found
        if each.reverses == entry.transaction_id and each.direction is entry.direction
    )


def key(entry: Entry) -> EntryKey:
    """Where an entry stands in the order of pages."""
    return EntryKey(
        entry.event_time_ms, entry.transaction_id, entry.direction, entry.kind, entry.amount
    )


def _cursors(
    analytics: Analytics, name: str, interval: Interval, entries: tuple[Entry, ...]
) -> tuple[str, ...]:
    return tuple(
        analytics.cursors.encode(Cursor(name, interval, _place_of(key(each)))) for each in entries
    )


def _place_of(key: EntryKey) -> tuple[str | int, ...]:
    """What a cursor keeps of a key."""
    sides = key.direction.value, key.kind.value
    return key.event_time_ms, key.transaction_id, *sides, str(key.amount)


def _key_of(place: tuple[str | int, ...]) -> EntryKey:
    """The key again."""
    event_time_ms, transaction_id, direction, kind, amount = place
    return EntryKey(
        int(event_time_ms),
        str(transaction_id),
        Direction(direction),
        TransactionKind(kind),
        Decimal(amount),
    )


def _size(question: EntriesQuestion, max_first: int) -> int:
    """How many entries are asked for; raises `BadUserInputError` for what does not go together."""
    if question.last is None:
        if question.before is not None:
            raise BadUserInputError("before", "goes with `last`; to go forward, give `after`")
        return check_first(question.first, max_first)
    if question.after is not None:
        raise BadUserInputError("after", "goes with `first`; to go back, give `last` and `before`")
    return check_first(question.last, max_first, "last")


async def _reversals(analytics: Analytics, page: EntryPage) -> tuple[Entry, ...]:
    # At any time: a reversal may have a time before its transfer's.
    ids = frozenset(
        each.transaction_id for each in page.entries if each.kind is TransactionKind.TRANSFER
    )
    plan = EntriesPlan(
        analytics.scope(_of(page.account_id)),
        None,
        None,
        ALL_TIME,
        None,
        2 * len(ids),
        reverses=ids,
    )
    return (await analytics.store.fetch(plan)).rows


async def _up_to_as_of(
    analytics: Analytics, plan: EntriesPlan
) -> tuple[EntriesPlan, StoreResult[Entry]]:
    """The plan's answer and its interval, both without what is younger than the answer's `asOf`."""
    result = await analytics.store.fetch(plan)
    start_ms = plan.interval.start_ms
    end_ms = max(start_ms, min(plan.interval.end_ms, result.as_of_ms))
    rows = tuple(each for each in result.rows if each.event_time_ms < end_ms)
    plan = replace(plan, interval=Interval(start_ms, end_ms))
    is_whole = len(rows) == len(result.rows) or len(result.rows) < plan.limit
    if is_whole or start_ms == end_ms:
        return plan, replace(result, rows=rows)
    return await _up_to_as_of(analytics, plan)  # the page was full of what is younger


def _of(account_id: str) -> Whose:
    return Whose(frozenset({account_id}))
