"""Bugs put in on purpose: a simulation that does not find each of them proves nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any
from unittest.mock import patch

from gateway import gathering
from gateway.errors import OverloadedError
from gateway.gathering import Gathering
from gateway.overload.breaker import Breaker
from gateway.overload.gate import Gate
from gateway.overload.shedding import Shedding
from gateway.response_cache import ages, cache, entry, second_level
from gateway.response_cache import key as keys
from gateway.response_cache.cache import ResponseCache
from gateway.response_cache.entry import Entry
from gateway.response_cache.flight import Flights
from gateway.response_cache.store import BoundedStore
from tests.simulation.cache_world import CacheWorld
from tests.simulation.gate_world import GateWorld
from tests.simulation.gathering_world import GatheringWorld

World = CacheWorld | GateWorld | GatheringWorld


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
    return CacheWorld(seed, lambda _, question: ("", keys.digest(question, None, None, ())))


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
    return replace(_make(*given), stale_until_s=float("inf"))


def keep_for_rescue_for_ever(*given: Any) -> Entry:
    return replace(_make(*given), rescue_until_s=float("inf"))


def forget_names(name: str, content: bytes, *now: float) -> Entry | None:
    import orjson

    return _decode(orjson.loads(content.partition(b"\n")[0])["name"], content, *now)


def made_just_now(name: str, content: bytes, now_s: float, epoch_s: float) -> Entry | None:
    found = _decode(name, content, now_s, epoch_s)
    if found is None:
        return None
    later_s = now_s - found.born_s
    return replace(found, born_s=now_s, fresh_until_s=found.fresh_until_s + later_s)


def put_without_account(self: BoundedStore[Any], key: Any, value: Any, size: int) -> None:
    self._kept[key] = (value, size)


def put_without_bound(self: BoundedStore[Any], key: Any, value: Any, size: int) -> None:
    self.drop(key)
    self._kept[key] = (value, size)
    self._bytes += size


async def enter_and_lose_the_turn(self: Gate) -> None:
    if self._running < self._limit.value and not self._waiting:
        self._running += 1
        return
    turn = asyncio.get_running_loop().create_future()
    self._waiting.append(turn)
    await turn


async def enter_always(self: Gate) -> None:
    self._running += 1


def leave_without_a_word(self: Gate) -> None:
    self._running -= 1
    if self._waiting and self._running == 0:
        turn = self._waiting.popleft()
        if not turn.done():
            self._running += 1
            turn.set_result(None)


def admit_everybody(self: Shedding, key: Any) -> None:
    return None


def refuse_who_joins(self: Shedding, key: Any) -> OverloadedError | None:
    return _refusal(self, object())


@contextmanager
def begin_for_ever(self: Shedding, key: Any) -> Iterator[None]:
    self._begun[key] = 1
    yield


def never_close(self: Breaker) -> None:
    return None


_send, _ended, _totals = Gathering._send, Gathering._ended, Gathering._totals


def send_and_let_others_join(self: Gathering, line: Any, group: Any) -> None:
    if group.task is None:
        _send(self, line, group)
        line.waiting = group


def share_everything(result: Any, group: Any) -> None:
    for waiter in group.plans:
        if not waiter.done():
            waiter.set_result(replace(result, snapshot=0))


def share_with_snapshot(result: Any, group: Any) -> None:
    for waiter, plan in group.plans.items():
        if not waiter.done():
            rows = tuple(row for row in result.rows if row.account_id in plan.account_ids)
            waiter.set_result(replace(result, rows=rows))


def end_without_a_word(self: Gathering, line: Any) -> None:
    waiting, line.waiting = line.waiting, None
    _ended(self, line)
    if waiting is not None:
        line.waiting = waiting
        self._lines[line.alike] = line


def fail_all(self: Gathering, group: Any, error: BaseException) -> None:
    for waiter in group.plans:
        if not waiter.done():
            waiter.set_exception(error)


def fail_and_go_on(self: Gathering, group: Any, error: BaseException) -> None:
    for waiter in group.plans:
        if not waiter.done():
            waiter.set_result(None)


async def wait_always(self: Gathering, plan: Any, timeout_s: float) -> Any:
    self._is_busy = lambda: True
    return await _totals(self, plan, timeout_s)


def give_up_nothing(self: Gathering, line: Any, group: Any) -> None:
    return None


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
    Planted("no account of bytes", BoundedStore, "put", put_without_account),
    Planted("no bound of bytes", BoundedStore, "put", put_without_bound),
    Planted("a turn lost with its waiter", Gate, "_enter", enter_and_lose_the_turn, GateWorld),
    Planted("no limit", Gate, "_enter", enter_always, GateWorld),
    Planted("a lost wake-up", Gate, "_leave", leave_without_a_word, GateWorld),
    Planted("no bound of what is begun", Shedding, "refusal", admit_everybody, GateWorld),
    Planted("who joins is turned away", Shedding, "refusal", refuse_who_joins, GateWorld),
    Planted("what has ended still counts", Shedding, "beginning", begin_for_ever, GateWorld),
    Planted("a breaker that never breaks", Breaker, "rests", False, GateWorld),
    Planted("a breaker that never closes", Breaker, "succeeded", never_close, GateWorld),
    Planted(
        "what is asked is joined", Gathering, "_send", send_and_let_others_join, GatheringWorld
    ),
    Planted("rows of others' accounts", gathering, "_share", share_everything, GatheringWorld),
    Planted("others' snapshot", gathering, "_share", share_with_snapshot, GatheringWorld),
    Planted(
        "an end that nobody is told of", Gathering, "_ended", end_without_a_word, GatheringWorld
    ),
    Planted("asked for nobody", Gathering, "_give_up", give_up_nothing, GatheringWorld),
    Planted("one part out, all out", Gathering, "_failed", fail_all, GatheringWorld),
    Planted("never apart", Gathering, "_failed", fail_and_go_on, GatheringWorld),
    Planted("waits though there is room", Gathering, "_totals", wait_always, GatheringWorld),
    Planted("no time left to ask alone", gathering, "SHARE_OF_TIME", 1.0, GatheringWorld),
    Planted("together without a bound", gathering, "_size", lambda _: 1, GatheringWorld),
)

__all__ = ["BUGS", "Planted", "cache"]
