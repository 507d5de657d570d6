"""The line in which new documents wait to be checked: a step a turn of the loop, and none for who is gone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable
from dataclasses import dataclass

from gateway.errors import OverloadedError
from gateway.preparation import Prepared
from gateway.steps import Steps, in_turns

MAX_TOKENS = 12_000
"""Tokens that may wait, about 0.2 s of work; half of them of one asker, so that nobody fills the line alone."""


@dataclass(slots=True)
class _Place:
    tokens: int
    asker: Hashable
    checking: asyncio.Task[Prepared]
    waiting: int = 0


class DocumentLine:
    """Has each waiting document checked once, whoever asks for it."""

    def __init__(self, check: Callable[[str], Steps[Prepared]]) -> None:
        self._check = check
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
            checking = asyncio.ensure_future(self._in_turn(text))
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
        # Whoever is ready meanwhile goes first: however many send new documents, those who send
        # none wait for a step of one of them and not for all.
        async with self._turn:
            return await in_turns(self._check(text))

    def _leave(self, text: str, place: _Place) -> None:
        if self._places.get(text) is place:
            del self._places[text]
