"""The gate before the store: so many queries at once, few wait, the rest is refused at once.

Places go to payers, not to queries: who has the fewest is next, however many wait behind him. So a
payer waits for his own queries, and for one of everybody else's.
"""

from __future__ import annotations

import asyncio
import itertools
from collections import deque
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass, field
from typing import TypeVar

from gateway.errors import DeadlineExceededError
from gateway.process.clock import Monotonic
from gateway.store.overload.limit import AdaptiveLimit
from gateway.store.overload.party import Party, holds_its_share

Got = TypeVar("Got")
QUEUE_PER_SLOT = 1
"""Queries that may wait, a slot: so many wait about as long as one query takes."""


@dataclass(eq=False, slots=True)
class _Turn:
    """A query that waits in the lines of all its payers, until one of them has a place for it: `line`."""

    party: Party
    granted: asyncio.Future[None] | None = None
    line: _Line | None = None


@dataclass(eq=False, slots=True)
class _Line:
    """What one payer has in the gate; `since`: the number of when it came, or last had a place."""

    payer: Hashable
    since: int
    running: set[_Turn] = field(default_factory=set)
    waiting: deque[_Turn] = field(default_factory=deque)

    @property
    def held(self) -> int:
        return len(self.running) + len(self.waiting)


class Gate:
    """Lets queries through up to a limit that adapts; in turn among payers, of each in the order they came."""

    def __init__(self, limit: AdaptiveLimit, monotonic: Monotonic) -> None:
        self._limit = limit
        self._monotonic = monotonic
        self._running = 0
        self._queued = 0
        self._lines: dict[Hashable, _Line] = {}
        self._numbers = itertools.count()

    @property
    def limit(self) -> int:
        """How many may run at once."""
        return self._limit.value

    @property
    def running(self) -> int:
        """How many run."""
        return self._running

    @property
    def queued(self) -> int:
        """How many wait."""
        return self._queued

    @property
    def room(self) -> int:
        """How many may run and wait."""
        return self._limit.value * (1 + QUEUE_PER_SLOT)

    def is_full_for(self, payer: Hashable) -> bool:
        """Whether one operation more of this payer would only wait, and make others wait.

        Where as many wait as may, that is so for who holds his share of the room. Who holds less is
        let in: it is the others who have too much, and theirs that waits longer.
        """
        if self._queued < self._limit.value * QUEUE_PER_SLOT:
            return False
        line = self._lines.get(payer)
        held = 0 if line is None else line.held
        return holds_its_share(held, len(self._lines) + (line is None), self.room)

    async def run(self, party: Party, kind: str | None, call: Callable[[], Awaitable[Got]]) -> Got:
        """Make a call when it is its turn; its time teaches the limit, if it is of a kind and ends."""
        turn = await self._enter(party)
        started_s = self._monotonic()
        try:
            got = await call()
        except DeadlineExceededError:
            self._observe(kind, started_s, timed_out=True)
            raise
        else:
            self._observe(kind, started_s, timed_out=False)
            return got
        finally:
            self._leave(turn)

    def joined(self, party: Party, payer: Hashable) -> None:
        """What waits for a party waits in one more payer's line, too."""
        others = self._lines.get(party.payers[0])
        party.payers.append(payer)
        for turn in () if others is None else tuple(others.waiting):
            if turn.party is party:
                self._line(payer).waiting.append(turn)

    def left(self, party: Party, payer: Hashable) -> None:
        """One of several payers pays no more, neither for what waits nor for what runs."""
        party.payers.remove(payer)
        line = self._lines.get(payer)
        if line is None:
            return
        line.waiting = deque(each for each in line.waiting if each.party is not party)
        for turn in [each for each in line.running if each.party is party]:
            line.running.remove(turn)
            self._charge(turn, self._line(party.payers[0]))
        self._forget_if_empty(line)

    async def _enter(self, party: Party) -> _Turn:
        turn = _Turn(party)
        if self._running < self._limit.value and not self._queued:
            self._running += 1
            self._charge(turn, self._line(party.payers[0]))
            return turn
        turn.granted = asyncio.get_running_loop().create_future()
        for payer in party.payers:
            self._line(payer).waiting.append(turn)
        self._queued += 1
        try:
            await turn.granted
        except asyncio.CancelledError:
            if turn.line is not None:
                self._leave(turn)  # the turn had come: it goes to the next
            else:
                self._take_out(turn)
            raise
        return turn

    def _leave(self, turn: _Turn) -> None:
        assert turn.line is not None
        turn.line.running.remove(turn)
        turn.line.since = next(self._numbers)
        self._forget_if_empty(turn.line)
        self._running -= 1
        while self._queued and self._running < self._limit.value:
            following = self._following()
            self._grant(following.waiting[0], following.payer)

    def _following(self) -> _Line:
        """The line whose turn it is, of those where somebody waits."""
        waiting = [each for each in self._lines.values() if each.waiting]
        return min(waiting, key=lambda each: (len(each.running), each.since))

    def _grant(self, turn: _Turn, payer: Hashable) -> None:
        self._take_out(turn)
        assert turn.granted is not None
        if not turn.granted.done():  # else its task has been cancelled, and is about to see it
            turn.granted.set_result(None)
            self._running += 1
            self._charge(turn, self._line(payer))

    def _charge(self, turn: _Turn, line: _Line) -> None:
        turn.line = line
        line.running.add(turn)
        line.since = next(self._numbers)

    def _take_out(self, turn: _Turn) -> None:
        """Take a turn out of all its lines, if it is still there."""
        was_there = False
        for payer in turn.party.payers:
            line = self._lines.get(payer)
            if line is not None and turn in line.waiting:
                was_there = True
                line.waiting.remove(turn)
                self._forget_if_empty(line)
        self._queued -= was_there

    def _line(self, payer: Hashable) -> _Line:
        line = self._lines.get(payer)
        if line is None:
            # Behind those who have waited longer: else who comes again and again goes before them all.
            line = self._lines[payer] = _Line(payer, next(self._numbers))
        return line

    def _forget_if_empty(self, line: _Line) -> None:
        if not line.held:
            del self._lines[line.payer]

    def _observe(self, kind: str | None, started_s: float, *, timed_out: bool) -> None:
        seconds = self._monotonic() - started_s
        self._limit.observe(kind, seconds, self._running, timed_out=timed_out)
