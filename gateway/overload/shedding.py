"""Who is turned away before any work, so that what is begun is finished: one look, no waiting.

Ready answers never pass here: they are served whatever stands in line.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager

from gateway.errors import OverloadedError
from gateway.overload.gate import QUEUE_PER_SLOT, Gate
from gateway.overload.lag import LoopLag

FEW = 16
"""Operations under way that no late timer is blamed on."""


class Shedding:
    """Counts the operations under way, and says whether one more may begin.

    `saved`: how many store queries fewer than they have plans they take together.
    """

    def __init__(
        self,
        gate: Gate,
        lag: LoopLag,
        on_refused: Callable[[str], None],
        saved: Callable[[], int] = lambda: 0,
    ) -> None:
        self._gate = gate
        self._lag = lag
        self._on_refused = on_refused
        self._saved = saved
        self._begun: dict[Hashable, int] = {}

    @property
    def begun(self) -> int:
        """How many operations are under way; those that share a key are one."""
        return len(self._begun)

    def refusal(self, key: Hashable) -> OverloadedError | None:
        """Why an operation of this key cannot begin; `None`: it can, or is under way already."""
        if key in self._begun:
            return None
        # Those who share a store query take one place together.
        room = self._gate.limit * (1 + QUEUE_PER_SLOT) + self._saved()
        if self._gate.is_full or len(self._begun) >= room:
            return self._refused("store", f"{len(self._begun)} operations are under way")
        return self.refusal_unread()

    def refusal_unread(self) -> OverloadedError | None:
        """Why a request is not even read that was not seen before; `None`: it is."""
        if len(self._begun) >= FEW and self._lag.look():
            return self._refused("lag", "requests wait too long before they are seen")
        return None

    @contextmanager
    def beginning(self, key: Hashable) -> Iterator[None]:
        """An operation is under way."""
        self._begun[key] = self._begun.get(key, 0) + 1
        try:
            yield
        finally:
            self._begun[key] -= 1
            if not self._begun[key]:
                del self._begun[key]

    def start(self) -> None:
        """Watch the running loop."""
        self._lag.start()

    def stop(self) -> None:
        """Watch no longer."""
        self._lag.stop()

    def _refused(self, because: str, cause: str) -> OverloadedError:
        self._on_refused(because)
        return OverloadedError(cause)
