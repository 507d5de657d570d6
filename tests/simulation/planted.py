"""Bugs put in on purpose: a simulation that does not find each of them proves nothing."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any
from unittest.mock import patch

from gateway.errors import OverloadedError
from gateway.process.bounded_store import BoundedStore
from gateway.process.signing import SIGNATURE_BYTES, Signer
from gateway.response_cache import ages, cache, entry, second_level
from gateway.response_cache import key as keys
from gateway.response_cache.cache import ResponseCache
from gateway.response_cache.entry import Entry
from gateway.response_cache.flight import Flights
from gateway.store.overload.breaker import Breaker
from gateway.store.overload.gate import Gate, _Turn
from gateway.store.overload.party import Party
from gateway.store.overload.shedding import Shedding
from gateway.store.rows.asked import RowsPlan, Told
from gateway.store.rows.asking import Lane
from gateway.store.rows.held import SKEW_MS, Held, Rows
from gateway.store.rows.store import KeptRows
from tests.simulation.cache_world import CacheWorld, now_s
from tests.simulation.fair_world import FairWorld
from tests.simulation.gate_world import GateWorld
from tests.simulation.rows_world import RowsWorld

World = CacheWorld | GateWorld | FairWorld | RowsWorld


@dataclass(frozen=True)
class Planted:
    """A bug: its name, what it replaces, and the world that must notice it."""

    name: str
    owner: Any
    attribute: str
    broken: Any
    world: Callable[[int], World] = CacheWorld

    @contextmanager
    def in_place(self) -> Iterator[None]:
        with patch.object(self.owner, self.attribute, self.broken):
            yield


def without_visibility(seed: int) -> World:
    return CacheWorld(seed, lambda _, question: ("", keys.digest(question, None, {})))


async def join_alone(self: Flights[Any], key: Any, make: Any) -> Any:
    return await make(), True


async def join_and_cancel(self: Flights[Any], key: Any, make: Any) -> Any:
    flight = self._flying.get(key) or self._launch(key, make, kept=False)
    return await flight.task, True


def launch_and_keep(self: Flights[Any], key: Any, make: Any, *, kept: bool) -> Any:
    from gateway.response_cache.flight import _Flight

    flight = _Flight(asyncio.ensure_future(make()), kept)
    self._flying[key] = flight
    return flight


_refusal = Shedding.refusal
_entry = ResponseCache._entry
_make, _decode, _fresh_for_s = entry.make, second_level.decode, ages.fresh_for_s


def keep_errors(self: ResponseCache[Any], computed: Any, *times: float) -> Entry | None:
    return _entry(self, replace(computed, body=computed.body or b'{"error": 1}'), *times)


def keep_stale_for_ever(*given: Any) -> Entry:
    return replace(_make(*given), stale_until_s=1e9)


def keep_for_rescue_for_ever(*given: Any) -> Entry:
    return replace(_make(*given), rescue_until_s=1e9)


def forget_names(signer: Signer, name: str, content: bytes, *aheads: float) -> Entry | None:
    import orjson

    head = orjson.loads(content[SIGNATURE_BYTES:].partition(b"\n")[0])
    return _decode(signer, head["name"], content, *aheads)


def made_just_now(signer: Signer, name: str, content: bytes, *aheads: float) -> Entry | None:
    found = _decode(signer, name, content, *aheads)
    if found is None:
        return None
    later_s = now_s() - found.born_s
    return replace(found, born_s=now_s(), fresh_until_s=found.fresh_until_s + later_s)


def on_its_writers_clock(
    signer: Signer, name: str, content: bytes, ahead_s: float, apart_s: float
) -> Entry | None:
    return _decode(signer, name, content, ahead_s - 1, apart_s)


def put_without_account(self: BoundedStore[Any], key: Any, value: Any, size: int) -> None:
    self._others.places[key] = (value, size)


def put_without_bound(self: BoundedStore[Any], key: Any, value: Any, size: int) -> None:
    self._others.take(key)
    self._others.places[key] = (value, size)
    self._others.bytes += size


async def enter_and_lose_the_turn(self: Gate, party: Party) -> _Turn:
    turn = _Turn(party)
    if self._running < self._limit.value and not self._queued:
        self._running += 1
        self._charge(turn, self._line(party.payers[0]))
        return turn
    turn.granted = asyncio.get_running_loop().create_future()
    for payer in party.payers:
        self._line(payer).waiting.append(turn)
    self._queued += 1
    await turn.granted
    return turn


async def enter_always(self: Gate, party: Party) -> _Turn:
    turn = _Turn(party)
    self._running += 1
    self._charge(turn, self._line(party.payers[0]))
    return turn


def leave_without_a_word(self: Gate, turn: _Turn) -> None:
    assert turn.line is not None
    turn.line.running.remove(turn)
    self._forget_if_empty(turn.line)
    self._running -= 1
    if self._queued and self._running == 0:
        following = self._following()
        self._grant(following.waiting[0], following.payer)


def longest_line_first(self: Gate) -> Any:
    return max(self._lines.values(), key=lambda line: len(line.waiting))


def full_for_all(self: Gate, payer: Any) -> bool:
    return self._queued >= self._limit.value


def join_without_a_share(self: Gate, party: Party, payer: Any) -> None:
    party.payers.append(payer)


def leave_and_pay_on(self: Gate, party: Party, payer: Any) -> None:
    return None


def admit_everybody(self: Shedding, key: Any, payer: Any) -> None:
    return None


def refuse_who_joins(self: Shedding, key: Any, payer: Any) -> OverloadedError | None:
    return _refusal(self, object(), payer)


def ask_too_much(self: Shedding, payer: Any, room: int) -> bool:
    return True


@contextmanager
def begin_for_ever(self: Shedding, key: Any, payer: Any) -> Iterator[Party]:
    self._begun[key] = Counter([payer])
    yield Party([payer])


def never_close(self: Breaker) -> None:
    return None


_in_budget = ResponseCache._in_budget_until_s


def budget_for_all(self: ResponseCache[Any], kept: Entry, *, pressed: bool) -> float:
    return _in_budget(self, kept)


def budget_without_end(self: ResponseCache[Any], kept: Entry) -> float:
    return kept.born_s + 1e9


def rows_in_budget_always(self: KeptRows, kept: Any) -> bool:
    is_held = isinstance(kept, Held) and kept.start_ms <= self._start_ms()
    return is_held and self._monotonic() - kept.looked_s <= self._bounds.budget_s


def rows_past_the_budget(self: KeptRows, kept: Any) -> bool:
    return isinstance(kept, Held) and (bool(self._gate.queued) or _is_fresh(self, kept))


_is_fresh = KeptRows._is_fresh
_with, _current, _ask = Held.with_, KeptRows._current, Lane.ask
_plan, _joined = KeptRows._plan, Lane._joined


def by_its_clock(self: Held) -> int:
    return self.as_of_ms


def count_what_comes_again(self: Held, told: Told) -> Held | None:
    with patch.object(Rows, "has", lambda *_: False):
        return _with(self, told)


def take_nothing_for_known(self: Held, told: Told) -> Held | None:
    with patch.object(Rows, "has", lambda *_: False):
        return _with(replace(self, recent={}), told)


def take_all_for_known(self: Held, told: Told) -> Held | None:
    new = tuple(each for each in told.rows.rows if not self.rows.has(each))
    late = [each for each in new if each.event_time_ms >= self.as_of_ms - SKEW_MS]
    return _with(self, replace(told, rows=replace(told.rows, rows=tuple(late))))


def as_of_the_moment(self: Held, told: Told) -> Held | None:
    return _with(self, replace(told, as_of_ms=told.as_of_ms + 200))


def fresh_for_ever(self: KeptRows, kept: Any) -> bool:
    return isinstance(kept, Held)


def of_few_days(self: KeptRows, scope: Any, since_ms: int | None) -> RowsPlan:
    plan = _plan(self, scope, since_ms)
    return replace(plan, start_ms=plan.start_ms + 29 * 86_400_000)


async def wait_and_cancel(self: KeptRows, account_id: str, *others: Any) -> Any:
    flight = self._making.get(account_id)
    return await (_current(self, account_id, *others) if flight is None else flight.task)


async def take_what_was_cut(self: Lane, *given: Any) -> Told:
    told = await _ask(self, *given)
    return replace(told, rows=replace(told.rows, cut=False))


def join_since_later(self: Lane, scope: Any, since_ms: int | None, *others: Any) -> Any:
    batch = _joined(self, scope, since_ms, *others)
    batch.since_ms = since_ms
    return batch


_BY_CLOCK = property(by_its_clock)

BUGS = (
    Planted("a key without what the caller may see", keys, "Key", keys.Key, without_visibility),
    Planted("no single flight", Flights, "join", join_alone),
    Planted("a waiter that leaves takes the flight down", Flights, "join", join_and_cancel),
    Planted("what has landed is not forgotten", Flights, "_launch", launch_and_keep),
    Planted("errors are kept", ResponseCache, "_entry", keep_errors),
    Planted("stale without a limit", entry, "make", keep_stale_for_ever),
    Planted("stand-ins without a limit", entry, "make", keep_for_rescue_for_ever),
    Planted("fresh for too long", ages, "fresh_for_s", lambda *a: 3 * _fresh_for_s(*a)),
    Planted("replies of the second level mixed up", second_level, "decode", forget_names),
    Planted("shared answers told as new", second_level, "decode", made_just_now),
    Planted("shared answers told a second younger", second_level, "decode", on_its_writers_clock),
    Planted("no account of bytes", BoundedStore, "put", put_without_account),
    Planted("no bound of bytes", BoundedStore, "put", put_without_bound),
    Planted("a turn lost with its waiter", Gate, "_enter", enter_and_lose_the_turn, GateWorld),
    Planted("no limit", Gate, "_enter", enter_always, GateWorld),
    Planted("a lost wake-up", Gate, "_leave", leave_without_a_word, GateWorld),
    Planted("the longest line first", Gate, "_following", longest_line_first, FairWorld),
    Planted("full for all", Gate, "is_full_for", full_for_all, FairWorld),
    Planted("who joins brings no share", Gate, "joined", join_without_a_share, FairWorld),
    Planted("who leaves goes on paying", Gate, "left", leave_and_pay_on, FairWorld),
    Planted("too much is everybody's fault", Shedding, "_holds_its_share", ask_too_much, FairWorld),
    Planted("no bound of what is begun", Shedding, "refusal", admit_everybody, GateWorld),
    Planted("who joins is turned away", Shedding, "refusal", refuse_who_joins, GateWorld),
    Planted("what has ended still counts", Shedding, "beginning", begin_for_ever, GateWorld),
    Planted("a breaker that never breaks", Breaker, "rests", False, GateWorld),
    Planted("a breaker that never closes", Breaker, "succeeded", never_close, GateWorld),
    Planted("what is new by clocks that agree", Held, "arrived_since_ms", _BY_CLOCK, RowsWorld),
    Planted(
        "what comes again later counts again", Held, "with_", count_what_comes_again, RowsWorld
    ),
    Planted("what comes again counts again", Held, "with_", take_nothing_for_known, RowsWorld),
    Planted("what is new by its event time", Held, "with_", take_all_for_known, RowsWorld),
    Planted("rows as of a later moment", Held, "with_", as_of_the_moment, RowsWorld),
    Planted("the budget though there is room", ResponseCache, "_served_until_s", budget_for_all),
    Planted("past the budget", ResponseCache, "_in_budget_until_s", budget_without_end),
    Planted("rows in budget with room", KeptRows, "_is_fresh", rows_in_budget_always, RowsWorld),
    Planted("rows past the budget", KeptRows, "_is_fresh", rows_past_the_budget, RowsWorld),
    Planted("rows without another look", KeptRows, "_is_fresh", fresh_for_ever, RowsWorld),
    Planted("rows of fewer days than asked about", KeptRows, "_plan", of_few_days, RowsWorld),
    Planted(
        "one that leaves takes the rows along", KeptRows, "_current", wait_and_cancel, RowsWorld
    ),
    Planted("rows that were cut", Lane, "ask", take_what_was_cut, RowsWorld),
    Planted("a batch since the last one's look", Lane, "_joined", join_since_later, RowsWorld),
)

__all__ = ["BUGS", "Planted", "cache"]
