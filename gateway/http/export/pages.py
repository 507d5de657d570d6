"""An export's pages: each is paid for, admitted and answered as the same page of GraphQL would be."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum
from functools import partial

from starlette.types import Scope

from gateway.access.auth.authenticator import Authenticator
from gateway.access.budget.balance import Balance
from gateway.access.masking import Show
from gateway.analytics import entries
from gateway.analytics.answers import EntryPage
from gateway.analytics.entries import EntriesQuestion
from gateway.analytics.questions import NOT_APART
from gateway.documents.admission import Asker
from gateway.errors import (
    OverloadedError,
    PartialAnswerError,
    RateLimitedError,
    UnauthenticatedError,
)
from gateway.execution import presenting
from gateway.execution.operation import MakeContext
from gateway.http.answering import Answering
from gateway.http.export.rows import Row, row_of
from gateway.http.watching import judged_again
from gateway.live.stream import Sleep
from gateway.process import beside
from gateway.process.clock import Monotonic
from gateway.process.drain import Drain

PULSE_S = 1.0
"""In a long wait it is seen as often whether the process leaves."""


class End(Enum):
    """Why an export ended; the value is the label in metrics and the log."""

    COMPLETE = "complete"
    LIMIT = "limit"
    CLIENT = "client"
    CREDENTIAL = "credential"
    RIGHT = "right"
    BUDGET = "budget"
    STORE = "store"
    LEAVING = "leaving"
    CUT = "cut"


ROW_ITEMS = 3
"""A row to be written takes as long as so many of what comes from a store."""


class BrokenOffError(Exception):
    """An export cannot go on for now."""

    def __init__(self, end: End) -> None:
        super().__init__(end.value)
        self.end = end


@dataclass(frozen=True, slots=True)
class Bounds:
    """`page_rows` at once and in memory, for `page_cost` points; up to `most_rows` in one response.

    `wait_s`: for how long one page waits for points or for a place before the store.
    """

    page_rows: int
    page_cost: int
    most_rows: int
    wait_s: float


@dataclass(frozen=True, slots=True)
class Means:
    """What all exports of a process read their pages by."""

    door: Authenticator
    answering: Answering
    make_context: MakeContext
    drain: Drain
    monotonic: Monotonic
    sleep: Sleep
    bounds: Bounds


@dataclass(frozen=True, slots=True)
class Page:
    """Rows; every page's are from before `end`, which the first one's `as_of` proved complete. `after`: goes on behind them."""

    rows: tuple[Row, ...]
    as_of: datetime
    end: datetime
    after: str | None


@dataclass(slots=True)
class Pages:
    """One export's, in order; `page` is the one that was fetched last, and no other is held.

    `rows` is how many were taken so far, `points` what was paid for them and for `page`, `balance` what
    the last payment left.
    """

    means: Means
    scope: Scope
    request_id: str
    asker: Asker
    question: EntriesQuestion
    rows: int = 0
    points: int = 0
    balance: Balance | None = None
    page: Page = field(init=False)

    async def first(self) -> None:
        """Fetch the first page, or raise at once why there is none: a `CallerError` or `StoreError`, as GraphQL has it."""
        await self._pay()
        await self._patiently(self._fetch, wait_s=0)

    async def following(self) -> None:
        """Fetch the page behind, when there are points and a place for it.

        Raises `BrokenOffError`, and what `first` does.
        """
        self._require_room()
        self._require_process()
        await self._leave_points()
        await self._patiently(self._pay, self.means.bounds.wait_s)
        await self._check()
        self.question = replace(self.question, after=self.page.after)
        await self._patiently(self._fetch, self.means.bounds.wait_s)

    def taken(self) -> None:
        """The client has the rows of this page: they count, and are no longer held."""
        self.rows += len(self.page.rows)
        self.page = replace(self.page, rows=())

    def _require_room(self) -> None:
        left = self.means.bounds.most_rows - self.rows
        if left <= 0:
            raise BrokenOffError(End.LIMIT)
        self.question = replace(self.question, first=min(self.question.first, left))

    def _require_process(self) -> None:
        if self.means.drain.begun:
            raise BrokenOffError(End.LEAVING)

    async def _pay(self) -> None:
        cost = self.means.bounds.page_cost
        self.balance = await self.means.answering.charge(cost, self.asker)
        self.points += cost

    async def _leave_points(self) -> None:
        """Wait until half of the budget is there, for as long as a page waits: the rest is for what else its caller asks.

        What is there is asked anew after each wait, as the caller may have spent it meanwhile.
        """
        until_s = self.means.monotonic() + self.means.bounds.wait_s
        while True:
            balance = await self.means.answering.charge(0, self.asker)
            if balance.budget is None or balance.remaining is None:
                return
            missing = balance.budget / 2 - balance.remaining
            left_s = until_s - self.means.monotonic()
            if missing <= 0 or left_s <= 0:
                return
            half_s = balance.reset_s * missing / (balance.budget - balance.remaining)
            await self._wait(min(half_s, left_s))

    async def _check(self) -> None:
        """Require a good credential, and the rights that the export began with."""
        try:
            asker = await judged_again(self.means.door, self.scope, self.asker)
        except UnauthenticatedError:
            raise BrokenOffError(End.CREDENTIAL) from None
        if asker.caller.visibility != self.asker.caller.visibility:
            raise BrokenOffError(End.RIGHT)
        self.asker = asker

    async def _fetch(self) -> None:
        key, payer = object(), self.asker.payer
        shedding = self.means.answering.shedding
        obstacle = shedding.obstacle(key, payer)
        if obstacle is not None:
            raise obstacle
        with shedding.beginning(key, payer) as party:
            context = self.means.make_context(self.request_id, self.asker.caller, party, NOT_APART)
            try:
                found = await entries.page(context.analytics, self.question)
            finally:
                await context.store.close()
        if found.evidence.inexact is not None:
            raise PartialAnswerError(found.evidence.inexact)
        self.page = await beside.done(
            ROW_ITEMS * len(found.entries), partial(_page_of, found, context.shown)
        )

    async def _patiently(self, do: Callable[[], Awaitable[None]], wait_s: float) -> None:
        """Do it as soon as it can be done; raise why it cannot, if that takes longer than it may.

        However often it is tried, an export that is turned away counts as one.
        """
        until_s = self.means.monotonic() + wait_s
        while True:
            try:
                return await do()
            except (OverloadedError, RateLimitedError) as error:
                if self.means.monotonic() + error.retry_after_s > until_s:
                    if isinstance(error, OverloadedError) and error.because:
                        self.means.answering.shedding.count(error)
                    raise
                await self._wait(error.retry_after_s)

    async def _wait(self, seconds: float) -> None:
        until_s = self.means.monotonic() + seconds
        while (left_s := until_s - self.means.monotonic()) > 0:
            self._require_process()
            await self.means.sleep(min(left_s, PULSE_S))


def _page_of(found: EntryPage, shown: Show) -> Page:
    told = presenting.transactions_of(found, found.entries, shown)
    last = len(told) - 1
    rows = tuple(
        row_of(each, cursor, has_next=found.has_next or place < last)
        for place, (each, cursor) in enumerate(zip(told, found.cursors, strict=True))
    )
    return Page(
        rows,
        presenting.utc(found.evidence.as_of_ms),
        presenting.utc(found.window.interval.end_ms),
        found.cursors[-1] if found.has_next else None,
    )
