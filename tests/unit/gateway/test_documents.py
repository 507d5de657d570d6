"""Which document a request means, and what is kept of those that clients register."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from gateway.documents import Asked, Documents, Found, read_manifest
from gateway.errors import (
    BadUserInputError,
    PersistedQueryNotFoundError,
    PersistedQueryNotSupportedError,
)
from gateway.metrics import Metrics


def documents(*, apq: bool = True, capacity: int = 2, mode: str = "off") -> Documents:
    return Documents(apq, capacity, {"one": "{ trusted }"}, mode, Metrics())


def digest(query: str) -> str:
    return hashlib.sha256(query.encode()).hexdigest()


def apq(query: str | None, given: object = None, version: object = 1) -> Asked:
    hashed = given if given is not None else digest(query or "")
    return Asked(query, None, {"persistedQuery": {"version": version, "sha256Hash": hashed}})


def register(kept: Documents, query: str) -> None:
    found = kept.find(apq(query))
    assert found is not None
    kept.register(found)


def test_a_document_is_not_registered_before_it_proved_to_be_valid() -> None:
    kept = documents()
    kept.find(apq("{ a }"))
    with pytest.raises(PersistedQueryNotFoundError):
        kept.find(apq(None, digest("{ a }")))


def test_a_plain_document_is_itself() -> None:
    assert documents().find(Asked("{ a }", None, {})) == Found("{ a }", trusted=False)
    assert documents().find(Asked(None, None, {})) is None


def test_the_latest_used_documents_are_kept() -> None:
    kept = documents()
    for query in ("{ a }", "{ b }"):
        register(kept, query)
    kept.find(apq(None, digest("{ a }")))
    register(kept, "{ c }")
    again = kept.find(apq(None, digest("{ a }").upper()))
    assert again == Found("{ a }", trusted=False, recalled=digest("{ a }"))
    with pytest.raises(PersistedQueryNotFoundError):
        kept.find(apq(None, digest("{ b }")))


@pytest.mark.parametrize(
    "persisted",
    [
        7,
        {},
        {"version": 2, "sha256Hash": "0" * 64},
        {"version": 1, "sha256Hash": "0"},
        {"version": 1, "sha256Hash": 5},
    ],
)
def test_a_malformed_request_is_refused(persisted: Any) -> None:
    with pytest.raises(BadUserInputError, match=r"extensions\.persistedQuery"):
        documents().find(Asked("{ a }", None, {"persistedQuery": persisted}))


def test_a_hash_of_something_else_is_refused() -> None:
    with pytest.raises(BadUserInputError, match="is not the hash of the query"):
        documents().find(apq("{ a }", digest("{ b }")))


def test_persisted_queries_can_be_switched_off() -> None:
    with pytest.raises(PersistedQueryNotSupportedError):
        documents(apq=False).find(apq(None, digest("{ a }")))


def test_trusted_documents_are_found_by_id_and_by_hash_of_the_same() -> None:
    found = Found("{ trusted }", trusted=True, by_id=True)
    assert documents().find(Asked(None, "sha256:one", {})) == found
    assert documents().find(Asked(None, "one", {})) == found
    with pytest.raises(PersistedQueryNotFoundError):
        documents().find(Asked(None, "two", {}))
    with pytest.raises(BadUserInputError, match="documentId"):
        documents().find(Asked("{ a }", "one", {}))


def test_only_trusted_documents_are_answered_if_so_set() -> None:
    strict = documents(mode="enforce")
    assert strict.find(Asked("{ trusted }", None, {})) == Found("{ trusted }", trusted=True)
    with pytest.raises(PersistedQueryNotSupportedError):
        strict.find(Asked("{ a }", None, {}))
    assert documents(mode="log").find(Asked("{ a }", None, {})) == Found("{ a }", trusted=False)


def test_no_manifest_is_no_document() -> None:
    assert read_manifest("") == {}
