"""How many connections there are, in all and of an address, and how long each may stand still."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from gateway.process.addresses import Networks, is_among, owner

TURNS = 10
"""Each look at all connections is spread over so many turns, so that none of them holds the loop."""

LINGER_S = 2.0
"""For how long what a refused client still sends is read: else it would not see its answer."""


class Stage(Enum):
    """What a connection waits for."""

    OPENED = "opened"
    IDLE = "idle"
    HEAD = "head"
    BODY = "body"
    ANSWER = "answer"
    SENDING = "sending"
    LINGERING = "lingering"


@dataclass(frozen=True, slots=True)
class Limits:
    """What connections may be; numbers of 0 have no limit, seconds are until the next look after them."""

    most: int = 0
    most_of_address: int = 0
    head_s: float = 10
    """Until a head is whole, counted from its first byte; of the first one, from the opening."""
    body_s: float = 10
    """Until a body is whole, counted from the end of its head."""
    idle_s: float = 75
    send_s: float = 30
    """Until a client has taken what was written for it."""
    half_closed_s: float = 1
    """Until a client that closed its sending side, as one does that is gone, counts as gone."""
    proxies: Networks = ()
    """Their connections stand for many clients: none of them is limited by address."""


class Watched(Protocol):
    """A connection, as whoever looks after all of them sees it."""

    def look(self, now_s: float) -> None:
        """End it if it stood still for too long."""
        ...


class Handed(Protocol):
    """The transport of a connection that is no longer HTTP's."""

    def is_closing(self) -> bool:
        """Whether it ends."""
        ...


class Connections:
    """The connections of one process. `count` is told why one ended that its client did not end."""

    def __init__(self, limits: Limits, count: Callable[[str], None] = lambda _: None) -> None:
        self.limits = limits
        self.count = count
        self.longest_s = {
            Stage.OPENED: limits.head_s,
            Stage.IDLE: limits.idle_s,
            Stage.HEAD: limits.head_s,
            Stage.BODY: limits.body_s,
            Stage.ANSWER: float("inf"),  # the operation has a deadline of its own
            Stage.SENDING: limits.send_s,
            Stage.LINGERING: LINGER_S,
        }
        self._of_address: Counter[str] = Counter()
        self._open = 0
        self._handed_on: list[tuple[str, Handed]] = []
        self._to_look_at: list[Watched] = []
        self._share = 1

    @property
    def open(self) -> int:
        """How many there are."""
        return self._open

    def enter(self, address: str) -> bool:
        """Count a new connection; `False`: there are too many already, and it is not counted."""
        limits, key = self.limits, owner(address)
        if limits.most and self._open >= limits.most:
            self.count("too_many")
            return False
        of_address = self._of_address[key]
        full = 0 < limits.most_of_address <= of_address
        if full and not is_among(address, limits.proxies):
            self.count("too_many_of_address")
            return False
        self._open += 1
        self._of_address[key] = of_address + 1
        return True

    def leave(self, address: str) -> None:
        """A counted connection ended."""
        self._open -= 1
        key = owner(address)
        self._of_address[key] -= 1
        if self._of_address[key] <= 0:
            del self._of_address[key]

    def hand_on(self, address: str, transport: Handed) -> None:
        """A counted connection is another protocol's from now on; it counts until it ends."""
        self._handed_on.append((address, transport))

    def look(self, connections: Iterable[Watched], now_s: float) -> None:
        """One turn, of which `TURNS` a second are due."""
        if not self._to_look_at:
            self._to_look_at = list(connections)
            self._forget_ended()
            self._share = len(self._to_look_at) // TURNS + 1
        for each in self._to_look_at[-self._share :]:
            each.look(now_s)
        del self._to_look_at[-self._share :]

    def _forget_ended(self) -> None:
        ended = [each for each in self._handed_on if each[1].is_closing()]
        if ended:
            self._handed_on = [each for each in self._handed_on if not each[1].is_closing()]
            for address, _ in ended:
                self.leave(address)
