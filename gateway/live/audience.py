"""Who listens: how many streams there are, in all and of each payer, and what became of them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import Enum

from gateway.process.places import Places


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
        self._places = Places("subscriptions", limits.most, limits.most_of_payer)

    @property
    def open(self) -> int:
        """How many streams there are."""
        return self._places.taken

    def place(self, payer: str) -> AbstractContextManager[None]:
        """A stream's place; raises `TooManyStreamsError` if there is none for this payer."""
        return self._places.place(payer)
