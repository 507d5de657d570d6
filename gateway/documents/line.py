"""The line in which new documents wait to be checked: one at a time, beside the event loop, and none for who is gone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from gateway.documents.preparation import Prepared
from gateway.errors import OverloadedError

MAX_TOKENS = 12_000
"""Tokens that may wait, about 0.2 s of work; half of them of one asker, so that nobody fills the line alone."""

TASK = "document"
"""The name of the tasks that wait for a check."""

YIELD_S = 0.000_5
"""After this long a check lets the event loop go on; for `sys.setswitchinterval`, where a process begins.

Python's own 5 ms are as long as most checks take.
"""


@dataclass(slots=True)
class _Place:
    tokens: int
    asker: Hashable
    checking: asyncio.Task[Prepared]
    waiting: int = 0


class DocumentLine:
    """Has each waiting document checked once, whoever asks for it.

    `check` is called in a thread of the line's own, `keep` with its result in the event loop. What
    nobody waits for any more is not begun; if it has begun, it is ended and not kept.
    """

    def __init__(
        self, check: Callable[[str], Prepared], keep: Callable[[str, Prepared], None]
    ) -> None:
        self._check = check
        self._keep = keep
        self._thread = ThreadPoolExecutor(1, "documents")
        self._turn = asyncio.Lock()
        self._places: dict[str, _Place] = {}

    def require_room(self, text: str, tokens: int, asker: Hashable) -> None:
        """Raises `OverloadedError` if the line is too long for one more document of this asker."""
        if text in self._places:
            return
        places = self._places.values()
        if places and sum(place.tokens for place in places) + tokens > MAX_TOKENS:
            raise OverloadedError("too many new documents wait to be checked")
        own = [place.tokens for place in places if place.asker == asker]
        if own and sum(own) + tokens > MAX_TOKENS // 2:
            raise OverloadedError("too many new documents of one asker wait to be checked")

    async def checked(self, text: str, tokens: int, asker: Hashable) -> Prepared:
        """The document, when its turn has come."""
        place = self._places.get(text)
        if place is None:
            checking = asyncio.create_task(self._in_turn(text), name=TASK)
            place = self._places[text] = _Place(tokens, asker, checking)
            checking.add_done_callback(lambda _: self._leave(text, place))
        place.waiting += 1
        try:
            return await asyncio.shield(place.checking)
        finally:
            place.waiting -= 1
            if not place.waiting:
                place.checking.cancel()  # nothing, where it is done
                self._leave(text, place)

    async def _in_turn(self, text: str) -> Prepared:
        # A parser cannot be asked to pause, a thread is: whoever asks for what is known goes on
        # meanwhile, however many send new documents, and however long they are.
        async with self._turn:
            loop = asyncio.get_running_loop()
            prepared = await loop.run_in_executor(self._thread, self._check, text)
            self._keep(text, prepared)
            return prepared

    def _leave(self, text: str, place: _Place) -> None:
        if self._places.get(text) is place:
            del self._places[text]
