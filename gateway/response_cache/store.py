"""What is kept in this process: the last used, bounded in bytes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Kept = TypeVar("Kept")


class BoundedStore(Generic[Kept]):
    """Values by key; the least recently used go when their sizes add up to over `max_bytes`."""

    def __init__(self, max_bytes: int, on_evicted: Callable[[int], None]) -> None:
        self._max_bytes = max_bytes
        self._on_evicted = on_evicted
        self._kept: OrderedDict[Hashable, tuple[Kept, int]] = OrderedDict()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def bytes(self) -> int:
        """The sizes of all that is kept."""
        return self._bytes

    def get(self, key: Hashable) -> Kept | None:
        """What is kept under a key, which is then the last used."""
        found = self._kept.get(key)
        if found is None:
            return None
        self._kept.move_to_end(key)
        return found[0]

    def put(self, key: Hashable, value: Kept, size: int) -> None:
        """Keep a value; one of over an eighth of the room is not worth what it would push out."""
        self.drop(key)
        if size > self._max_bytes // 8:
            return
        self._kept[key] = (value, size)
        self._bytes += size
        evicted = 0
        while self._bytes > self._max_bytes:
            _, (_, freed) = self._kept.popitem(last=False)
            self._bytes -= freed
            evicted += 1
        if evicted:
            self._on_evicted(evicted)

    def drop(self, key: Hashable) -> None:
        """Forget a key."""
        found = self._kept.pop(key, None)
        if found is not None:
            self._bytes -= found[1]
