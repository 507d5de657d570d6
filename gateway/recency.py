"""A bounded memory that a flood of new things cannot empty of what is used again and again."""

from __future__ import annotations

from collections import OrderedDict
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Recency(Generic[Value]):
    """Keeps the latest used values by key, up to a total weight, a fifth of it for newcomers.

    A value moves from the newcomers to the others when it is found a second time (a segmented
    LRU), so that values seen once push out each other only.
    """

    def __init__(self, capacity: int) -> None:
        self._newcomers: _Shelf[Value] = _Shelf(max(1, capacity // 5))
        self._others: _Shelf[Value] = _Shelf(max(1, capacity - capacity // 5))

    def __len__(self) -> int:
        return len(self._newcomers.values) + len(self._others.values)

    @property
    def weight(self) -> int:
        """Of all that is kept."""
        return self._newcomers.weight + self._others.weight

    def get(self, key: str) -> Value | None:
        """The value, if it is still kept."""
        found = self._others.values.get(key)
        if found is not None:
            self._others.values.move_to_end(key)
            return found[0]
        found = self._newcomers.take(key)
        if found is None:
            return None
        self._others.put(key, *found)
        return found[0]

    def put(self, key: str, value: Value, weight: int) -> None:
        """Keep a value that was not found."""
        self._newcomers.put(key, value, weight)


class _Shelf(Generic[Value]):
    def __init__(self, capacity: int) -> None:
        self.values: OrderedDict[str, tuple[Value, int]] = OrderedDict()
        self.weight = 0
        self._capacity = capacity

    def take(self, key: str) -> tuple[Value, int] | None:
        found = self.values.pop(key, None)
        if found is not None:
            self.weight -= found[1]
        return found

    def put(self, key: str, value: Value, weight: int) -> None:
        self.take(key)
        if weight > self._capacity:
            return
        self.values[key] = value, weight
        self.weight += weight
        while self.weight > self._capacity:
            _, (_, dropped) = self.values.popitem(last=False)
            self.weight -= dropped
