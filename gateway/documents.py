"""Documents that clients name instead of sending: APQ by hash, trusted documents by id."""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.errors import (
    BadUserInputError,
    PersistedQueryNotFoundError,
    PersistedQueryNotSupportedError,
)
from gateway.metrics import Metrics

PREFIX = "sha256:"


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
        self, apq: bool, capacity: int, trusted: Mapping[str, str], mode: str, metrics: Metrics
    ) -> None:
        self._apq = apq
        self._capacity = capacity
        self._trusted = trusted
        self._trusted_texts = frozenset(trusted.values())
        self._mode = mode
        self._metrics = metrics
        self._registered: OrderedDict[str, str] = OrderedDict()

    @property
    def judges(self) -> bool:
        """Whether it is of interest if a document is a trusted one."""
        return self._mode != "off"

    def find(self, asked: Asked) -> Found | None:
        """The document, or `None` if the request names none; raises a `CallerError`."""
        if asked.document_id is not None:
            text = self._by_id(asked.document_id, asked.query)
            return Found(text, trusted=True, by_id=True)
        persisted = asked.extensions.get("persistedQuery")
        digest = None if persisted is None else self._digest(persisted)
        query = asked.query
        if digest is not None:
            query = self._recall(digest) if query is None else _hashed(query, digest)
        if not query:
            return None
        to_register = None if asked.query is None else digest
        recalled = digest if asked.query is None else None
        found = Found(query, query in self._trusted_texts, to_register, recalled)
        if self.judges and not found.trusted:
            self._metrics.persisted.add("untrusted")
            if self._mode == "enforce":
                raise PersistedQueryNotSupportedError(
                    "Only trusted documents are answered here: send a documentId."
                )
        return found

    def found_again(self, found: Found) -> None:
        """Count a document that was found before by an equal request, as `find` would."""
        if found.recalled is not None:
            self._recall(found.recalled)
        elif found.by_id:
            self._metrics.persisted.add("trusted_hit")
        if self.judges and not found.trusted:
            self._metrics.persisted.add("untrusted")

    def register(self, found: Found) -> None:
        """Keep a document that proved to be valid, if its client wants it to be known by hash."""
        if found.to_register is None:
            return
        if found.to_register not in self._registered:
            self._metrics.persisted.add("apq_registered")
        self._registered[found.to_register] = found.text
        self._registered.move_to_end(found.to_register)
        while len(self._registered) > self._capacity:
            self._registered.popitem(last=False)

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
                if not self._apq:
                    raise PersistedQueryNotSupportedError("PersistedQueryNotSupported")
                return given.lower()
        raise BadUserInputError(
            "extensions.persistedQuery", "needs version 1 and a sha256Hash of 64 digits"
        )

    def _recall(self, digest: str) -> str:
        text = self._registered.get(digest) or self._trusted.get(digest)
        if text is None:
            self._metrics.persisted.add("apq_miss")
            raise PersistedQueryNotFoundError("PersistedQueryNotFound")
        if digest in self._registered:
            self._registered.move_to_end(digest)
        self._metrics.persisted.add("apq_hit")
        return text


def _hashed(query: str, digest: str) -> str:
    if hashlib.sha256(query.encode("utf-8", "surrogatepass")).hexdigest() != digest:
        raise BadUserInputError("extensions.persistedQuery", "is not the hash of the query")
    return query


def read_manifest(path: str) -> Mapping[str, str]:
    """Id to document from a JSON file, keys with or without `sha256:`; nothing for no path."""
    if not path:
        return {}
    content = json.loads(Path(path).read_text(encoding="utf-8"))
    return {str(key).removeprefix(PREFIX): str(value) for key, value in content.items()}
