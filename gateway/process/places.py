"""How many of what lasts long a process has at once: in all, and of each payer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from gateway.errors import TooManyStreamsError


class Places:
    """Places for so many; `what` they are for is what refusals say."""

    def __init__(self, what: str, most: int, most_of_payer: int) -> None:
        self._what = what
        self._most = most
        self._most_of_payer = most_of_payer
        self._of_payer: Counter[str] = Counter()
        self.taken = 0

    @contextmanager
    def place(self, payer: str) -> Iterator[None]:
        """A place while it lasts; raises `TooManyStreamsError` if there is none for this payer."""
        if self.taken >= self._most:
            raise TooManyStreamsError(f"This process has as many {self._what} as it may have")
        if self._of_payer[payer] >= self._most_of_payer:
            most = self._most_of_payer
            raise TooManyStreamsError(f"You have {most} {self._what} here, which is the most")
        self.taken += 1
        self._of_payer[payer] += 1
        try:
            yield
        finally:
            self.taken -= 1
            self._of_payer[payer] -= 1
            if not self._of_payer[payer]:
                del self._of_payer[payer]
