"""Documents that clients name instead of sending: APQ by hash, trusted documents by id."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any

from gateway.documents.caps import refuse
from gateway.documents.manifest import PREFIX
from gateway.errors import (
    BadUserInputError,
    PersistedQueryNotFoundError,
    PersistedQueryNotSupportedError,
)
from gateway.process.bounded_store import BoundedStore, size_of
from gateway.process.metrics import OTHER, Metrics

DOCUMENT_BYTES = 4_096
"""Room for one document that is known by its hash; longer ones take more of it."""

OWNER_BYTES = 160
"""What is known of who registered a document, about."""

MAX_NAMES = 200
"""Names of trusted documents' operations that metrics tell apart; to tell of each takes up to 60 µs."""

_NAME = re.compile(r"\b(?:query|mutation|subscription)\s+([A-Za-z_]\w*)")


@dataclass(frozen=True, slots=True)
class Asked:
    """A request's document, in the ways it can be said."""

    query: str | None
    document_id: str | None
    extensions: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Found:
    """A request's document, and whether it is one of the trusted ones.

    `to_register`: the hash that an APQ client wants it to be known by, if it proves to be valid;
    `recalled`: the hash that stood for it; `by_id`: an id did.
    """

    text: str
    trusted: bool
    to_register: str | None = None
    recalled: str | None = None
    by_id: bool = False


class Documents:
    """Finds the document of a request; keeps what APQ clients registered, bounded."""

    def __init__(
        self,
        apq: bool,
        capacity: int,
        trusted: Mapping[str, str],
        mode: str,
        metrics: Metrics,
        max_characters: int = 40_960,
    ) -> None:
        self._apq = apq
        self._trusted = trusted
        self._trusted_texts = frozenset(trusted.values())
        names = dict.fromkeys(name for text in trusted.values() for name in _NAME.findall(text))
        self._names = frozenset(list(names)[:MAX_NAMES])
        self._mode = mode
        self._metrics = metrics
        self._max_characters = max_characters
        self._registered: BoundedStore[str] = BoundedStore(capacity * DOCUMENT_BYTES)

    @property
    def kept_bytes(self) -> int:
        """What the documents that clients registered take."""
        return self._registered.bytes

    @property
    def judges(self) -> bool:
        """Whether it is of interest if a document is a trusted one."""
        return self._mode != "off"

    def find(self, asked: Asked, payer: Hashable) -> Found | None:
        """The document, or `None` if the request names none; raises a `CallerError`.

        By its hash a payer finds what it has registered itself, and trusted ones.
        """
        if asked.document_id is not None:
            text = self._by_id(asked.document_id, asked.query)
            return Found(text, trusted=True, by_id=True)
        persisted = asked.extensions.get("persistedQuery")
        digest = None if persisted is None else self._digest(persisted)
        query = asked.query
        if query is not None and len(query) > self._max_characters:
            refuse("characters", self._max_characters)
        if digest is not None:
            query = self._recall(digest, payer) if query is None else _hashed(query, digest)
        if not query:
            return None
        to_register = digest if self._apq and asked.query is not None else None
        recalled = digest if asked.query is None else None
        found = Found(query, query in self._trusted_texts, to_register, recalled)
        if self.judges and not found.trusted:
            self._metrics.persisted.add("untrusted")
            if self._mode == "enforce":
                raise PersistedQueryNotSupportedError(
                    "Only trusted documents are answered here: send a documentId."
                )
        return found

    def found_again(self, found: Found, payer: Hashable) -> None:
        """Count a document that was found before by an equal request, as `find` would."""
        if found.recalled is not None:
            self._recall(found.recalled, payer)
        elif found.by_id:
            self._metrics.persisted.add("trusted_hit")
        if self.judges and not found.trusted:
            self._metrics.persisted.add("untrusted")

    def label(self, found: Found, operation: str | None) -> str:
        """An operation's name for metrics: only trusted documents' are told apart."""
        return operation if found.trusted and operation and operation in self._names else OTHER

    def register(self, found: Found, payer: Hashable) -> None:
        """Keep a document that proved to be valid, if its client wants it to be known by hash."""
        digest, text = found.to_register, found.text
        if digest is None or self._registered.get((payer, digest)) is not None:
            return
        self._metrics.persisted.add("apq_registered")
        self._registered.put((payer, digest), text, OWNER_BYTES + size_of((digest, text)))

    def _by_id(self, document_id: str, query: str | None) -> str:
        if query is not None:
            raise BadUserInputError("documentId", "send either a documentId or a query, not both")
        text = self._trusted.get(document_id.removeprefix(PREFIX))
        if text is None:
            self._metrics.persisted.add("trusted_miss")
            raise PersistedQueryNotFoundError("PersistedQueryNotFound")
        self._metrics.persisted.add("trusted_hit")
        return text

    def _digest(self, persisted: object) -> str:
        match persisted:
            case {"version": 1, "sha256Hash": str(given)} if len(given) == 64:
                # Apollo's clients ask for trusted documents in the same words.
                if not self._apq and given.lower() not in self._trusted:
                    raise PersistedQueryNotSupportedError("PersistedQueryNotSupported")
                return given.lower()
        raise BadUserInputError(
            "extensions.persistedQuery", "needs version 1 and a sha256Hash of 64 digits"
        )

    def _recall(self, digest: str, payer: Hashable) -> str:
        text = self._registered.get((payer, digest)) or self._trusted.get(digest)
        if text is None:
            self._metrics.persisted.add("apq_miss")
            raise PersistedQueryNotFoundError("PersistedQueryNotFound")
        self._metrics.persisted.add("apq_hit")
        return text


def _hashed(query: str, digest: str) -> str:
    if hashlib.sha256(query.encode("utf-8", "surrogatepass")).hexdigest() != digest:
        raise BadUserInputError("extensions.persistedQuery", "is not the hash of the query")
    return query
