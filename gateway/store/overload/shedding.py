"""Who is turned away before any work, so that what is begun is finished: one look, no waiting.

Ready answers never pass here: they are served whatever stands in line. Of those who pass, who holds
more than his share is turned away first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from weakref import WeakValueDictionary

from gateway.errors import OverloadedError
from gateway.store.overload.gate import Gate
from gateway.store.overload.lag import LoopLag
from gateway.store.overload.party import Party, holds_its_share

FEW = 16
"""Operations under way that no late timer is blamed on."""


class Shedding:
    """Counts the operations under way, and says whether one more may begin."""

    def __init__(self, gate: Gate, lag: LoopLag, on_refused: Callable[[str], None]) -> None:
        self._gate = gate
        self._lag = lag
        self._on_refused = on_refused
        self._begun: dict[Hashable, Counter[Hashable]] = {}
        """By key: how many of each payer's requests wait for it."""
        self._held: Counter[Hashable] = Counter()
        """By payer: for how many keys its requests wait."""
        self._parties: WeakValueDictionary[Hashable, Party] = WeakValueDictionary()
        """By key, also of what goes on though nobody waits."""

    @property
    def begun(self) -> int:
        """How many operations are under way; those that share a key are one."""
        return len(self._begun)

    @property
    def pressed(self) -> bool:
        """Whether more is asked of the store than it can answer at once."""
        return self._gate.queued > 0

    def refusal(self, key: Hashable, payer: Hashable) -> OverloadedError | None:
        """Why an operation of this key cannot begin; `None`: it can, or is under way already."""
        return self._counted(self.obstacle(key, payer))

    def refusal_unread(self, payer: Hashable) -> OverloadedError | None:
        """Why a request is not even read that was not seen before; `None`: it is."""
        return self._counted(self._late(payer))

    def obstacle(self, key: Hashable, payer: Hashable) -> OverloadedError | None:
        """A `refusal` of who asks again by himself: not counted, unless he gives up and says so by `count`."""
        if key in self._begun:
            return None
        room = self._gate.room
        is_full = len(self._begun) >= room and self._holds_its_share(payer, room)
        if is_full or self._gate.is_full_for(payer):
            return OverloadedError(f"{len(self._begun)} operations are under way", "store")
        return self._late(payer)

    def count(self, refusal: OverloadedError) -> None:
        """An operation was turned away."""
        self._on_refused(refusal.because)

    @contextmanager
    def beginning(self, key: Hashable, payer: Hashable) -> Iterator[Party]:
        """An operation is under way, and this payer waits for it, maybe with others."""
        waiting = self._begun.setdefault(key, Counter())
        party = self._parties.get(key)
        if party is None:
            party = self._parties[key] = Party([payer])
        elif payer not in party.payers:
            self._gate.joined(party, payer)
        self._held[payer] += payer not in waiting
        waiting[payer] += 1
        for gone in [each for each in party.payers if each not in waiting]:
            self._gate.left(party, gone)
        try:
            yield party
        finally:
            waiting[payer] -= 1
            if not waiting[payer]:
                self._leave(key, payer, party)

    def start(self) -> None:
        """Watch the running loop."""
        self._lag.start()

    def stop(self) -> None:
        """Watch no longer."""
        self._lag.stop()

    def _leave(self, key: Hashable, payer: Hashable, party: Party) -> None:
        del self._begun[key][payer]
        if not self._begun[key]:
            del self._begun[key]
        self._held[payer] -= 1
        if not self._held[payer]:
            del self._held[payer]
        if len(party.payers) > 1:
            self._gate.left(party, payer)

    def _holds_its_share(self, payer: Hashable, room: int) -> bool:
        held = self._held.get(payer, 0)
        return holds_its_share(held, len(self._held) + (not held), room)

    def _late(self, payer: Hashable) -> OverloadedError | None:
        begun = len(self._begun)
        if begun >= FEW and self._holds_its_share(payer, begun) and self._lag.look():
            return OverloadedError("requests wait too long before they are seen", "lag")
        return None

    def _counted(self, refusal: OverloadedError | None) -> OverloadedError | None:
        if refusal is not None:
            self.count(refusal)
        return refusal
