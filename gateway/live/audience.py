"""Who listens: how many streams there are, in all and of each payer, and what became of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum

from gateway.errors import TooManyStreamsError


class End(Enum):
    """Why a stream ended; the value is the label in metrics and the log."""

    CLIENT = "client"
    CREDENTIAL = "credential"
    RIGHT = "right"
    REFUSED = "refused"
    LEAVING = "leaving"
    CUT = "cut"


@dataclass(frozen=True, slots=True)
class Limits:
    """How many streams a process has; seconds of their pace.

    `reconnect_s`: over how long those who are asked to come back are spread.
    """

    most: int = 2_000
    most_of_payer: int = 100
    interval_s: float = 1.0
    heartbeat_s: float = 15.0
    reconnect_s: float = 5.0


class Audience:
    """Counts the streams of one process; `on_ended` is told why each ended, `on_look` what each look gave."""

    def __init__(
        self,
        limits: Limits,
        on_ended: Callable[[str], None] = lambda _: None,
        on_look: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.limits = limits
        self.on_ended = on_ended
        self.on_look = on_look
        self._of_payer: Counter[str] = Counter()
        self._open = 0

    @property
    def open(self) -> int:
        """How many streams there are."""
        return self._open

    @contextmanager
    def place(self, payer: str) -> Iterator[None]:
        """A stream's place; raises `TooManyStreamsError` if there is none for this payer."""
        if self._open >= self.limits.most:
            raise TooManyStreamsError("This process has as many subscriptions as it may have")
        if self._of_payer[payer] >= self.limits.most_of_payer:
            most = self.limits.most_of_payer
            raise TooManyStreamsError(f"You have {most} subscriptions here, which is the most")
        self._open += 1
        self._of_payer[payer] += 1
        try:
            yield
        finally:
            self._open -= 1
            self._of_payer[payer] -= 1
            if not self._of_payer[payer]:
                del self._of_payer[payer]
