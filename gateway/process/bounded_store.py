"""What a process keeps for speed: bounded in bytes, and not emptied by a flood of what comes once."""

from __future__ import annotations

import sys
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, Generic, TypeVar

Kept = TypeVar("Kept")

PLACE_BYTES = 220
"""What a place in the store takes beside its key and value, measured."""

NEWCOMERS = 5
"""One part of so many is kept for what was not asked for again yet; it may have more while there is room."""


class BoundedStore(Generic[Kept]):
    """Values by key; the least recently used go when all that is kept takes over `max_bytes`.

    A value moves from the newcomers to the others when it is found a second time (a segmented
    LRU), so that values seen once push out each other first.
    """

    def __init__(self, max_bytes: int, on_evicted: Callable[[int], None] = lambda _: None) -> None:
        self._max_bytes = max_bytes
        self._newcomers: _Shelf[Kept] = _Shelf()
        self._others: _Shelf[Kept] = _Shelf()
        self._on_evicted = on_evicted

    def __len__(self) -> int:
        return len(self._newcomers.places) + len(self._others.places)

    @property
    def bytes(self) -> int:
        """What all that is kept takes."""
        return self._newcomers.bytes + self._others.bytes

    def get(self, key: Hashable) -> Kept | None:
        """What is kept under a key, which is then the last used."""
        places = self._others.places
        found = places.get(key)
        if found is not None:
            places.move_to_end(key)
            return found[0]
        found = self._newcomers.take(key)
        if found is None:
            return None
        self._others.put(key, found)
        return found[0]

    def put(self, key: Hashable, value: Kept, size: int) -> None:
        """Keep a value; `size`: bytes of it and its key. What is larger than the newcomers' part is not kept."""
        known = self._others.take(key)
        self._newcomers.take(key)
        place = value, size + PLACE_BYTES
        if place[1] <= self._max_bytes // NEWCOMERS:
            (self._newcomers if known is None else self._others).put(key, place)
            self._make_room()

    def drop(self, key: Hashable) -> None:
        """Forget a key."""
        self._others.take(key)
        self._newcomers.take(key)

    def _make_room(self) -> None:
        evicted = 0
        while self.bytes > self._max_bytes:
            crowded = self._newcomers.bytes > self._max_bytes // NEWCOMERS
            (self._newcomers if crowded else self._others).drop_oldest()
            evicted += 1
        if evicted:
            self._on_evicted(evicted)


class _Shelf(Generic[Kept]):
    """Values with their sizes in the order of their use."""

    __slots__ = ("bytes", "places")

    def __init__(self) -> None:
        self.places: OrderedDict[Hashable, tuple[Kept, int]] = OrderedDict()
        self.bytes = 0

    def put(self, key: Hashable, place: tuple[Kept, int]) -> None:
        self.places[key] = place
        self.bytes += place[1]

    def take(self, key: Hashable) -> tuple[Kept, int] | None:
        found = self.places.pop(key, None)
        if found is not None:
            self.bytes -= found[1]
        return found

    def drop_oldest(self) -> None:
        _, (_, freed) = self.places.popitem(last=False)
        self.bytes -= freed


def size_of(value: Any) -> int:
    """Bytes of text, numbers and collections of them, each counted wherever it stands."""
    below: Any = ()
    if isinstance(value, dict):
        below = (*value, *value.values())
    elif isinstance(value, list | tuple | frozenset):
        below = value
    return sys.getsizeof(value) + sum(map(size_of, below))
