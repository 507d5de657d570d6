"""Which documents each asker has paid for: a list of its own, which nobody else's asking shortens or makes longer."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable

MAX_BYTES = 8 * 1024 * 1024
"""Of one asker's documents, as they are kept: less than is kept of what comes once, so that nobody alone
has documents checked again that it has paid for."""

MAX_LISTED = 50_000
"""Documents in all lists, about 10 MB; the list that was not used for longest goes first."""


class PaidDocuments:
    """Lists of documents' keys by who paid, the latest used last."""

    def __init__(self, max_bytes: int = MAX_BYTES, max_listed: int = MAX_LISTED) -> None:
        self._max_bytes = max_bytes
        self._max_listed = max_listed
        self._lists: OrderedDict[Hashable, _List] = OrderedDict()
        self._listed = 0

    def __len__(self) -> int:
        return self._listed

    def has(self, payer: Hashable, key: str) -> bool:
        """Whether the document is on this payer's list, whose last used one it then is."""
        own = self._lists.get(payer)
        if own is None or key not in own.sizes:
            return False
        self._lists.move_to_end(payer)
        own.sizes.move_to_end(key)
        return True

    def add(self, payer: Hashable, key: str, size: int) -> None:
        """Put a document that takes `size` bytes on a payer's list."""
        self.drop(payer, key)
        own = self._lists.setdefault(payer, _List())
        self._lists.move_to_end(payer)
        own.sizes[key] = size
        own.bytes += size
        self._listed += 1
        while own.bytes > self._max_bytes:
            self.drop(payer, next(iter(own.sizes)))
        while self._listed > self._max_listed:
            _, oldest = self._lists.popitem(last=False)
            self._listed -= len(oldest.sizes)

    def drop(self, payer: Hashable, key: str) -> bool:
        """Take a document off a payer's list; whether it was there."""
        own = self._lists.get(payer)
        size = None if own is None else own.sizes.pop(key, None)
        if own is None or size is None:
            return False
        own.bytes -= size
        self._listed -= 1
        if not own.sizes:
            del self._lists[payer]
        return True


class _List:
    """One payer's documents with their sizes, in the order of their use."""

    __slots__ = ("bytes", "sizes")

    def __init__(self) -> None:
        self.sizes: OrderedDict[str, int] = OrderedDict()
        self.bytes = 0
