"""Which document a request means, and what is kept of those that clients register."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from gateway.documents.named import Asked, Documents, Found
from gateway.errors import (
    BadUserInputError,
    DocumentRefusedError,
    PersistedQueryNotFoundError,
    PersistedQueryNotSupportedError,
)
from gateway.process.metrics import Metrics

ME, OTHER = "me", "other"


def documents(*, apq: bool = True, capacity: int = 2, mode: str = "off") -> Documents:
    return Documents(apq, capacity, {"one": "{ trusted }"}, mode, Metrics())


def digest(query: str) -> str:
    return hashlib.sha256(query.encode()).hexdigest()


def apq(query: str | None, given: object = None, version: object = 1) -> Asked:
    hashed = given if given is not None else digest(query or "")
    return Asked(query, None, {"persistedQuery": {"version": version, "sha256Hash": hashed}})


def register(kept: Documents, query: str, payer: str = ME) -> None:
    found = kept.find(apq(query), payer)
    assert found is not None
    kept.register(found, payer)


def test_a_document_is_not_registered_before_it_proved_to_be_valid() -> None:
    kept = documents()
    kept.find(apq("{ a }"), ME)
    with pytest.raises(PersistedQueryNotFoundError):
        kept.find(apq(None, digest("{ a }")), ME)


def test_a_hash_is_known_to_whoever_registered_it_only() -> None:
    kept = documents(capacity=100)
    register(kept, "{ a }")
    assert kept.find(apq(None, digest("{ a }")), ME) is not None
    for unknown in ("{ a }", "{ b }"):
        with pytest.raises(PersistedQueryNotFoundError):
            kept.find(apq(None, digest(unknown)), OTHER)
    register(kept, "{ a }", OTHER)
    assert kept.find(apq(None, digest("{ a }")), OTHER) == kept.find(apq(None, digest("{ a }")), ME)


def test_a_trusted_document_is_known_by_its_hash_to_everybody() -> None:
    trusted = {digest("{ trusted }"): "{ trusted }"}
    kept = Documents(True, 2, trusted, "off", Metrics())
    for payer in (ME, OTHER):
        found = kept.find(apq(None, digest("{ trusted }")), payer)
        assert found is not None
        assert found.trusted


def test_a_plain_document_is_itself() -> None:
    assert documents().find(Asked("{ a }", None, {}), ME) == Found("{ a }", trusted=False)
    assert documents().find(Asked(None, None, {}), ME) is None


def long(name: str) -> str:
    """A document of nearly 4 KiB."""
    return f"{{ {name} }} #{'-' * 4_000}"


def test_the_latest_used_documents_are_kept() -> None:
    kept = documents(capacity=6)  # of that length five at most
    for query in ("a", "b"):
        register(kept, long(query))
    kept.find(apq(None, digest(long("a"))), ME)
    for query in ("c", "d", "e", "f"):
        register(kept, long(query))
    again = kept.find(apq(None, digest(long("a")).upper()), ME)
    assert again == Found(long("a"), trusted=False, recalled=digest(long("a")))
    with pytest.raises(PersistedQueryNotFoundError):
        kept.find(apq(None, digest(long("b"))), ME)


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
        documents().find(Asked("{ a }", None, {"persistedQuery": persisted}), ME)


def test_a_hash_of_something_else_is_refused() -> None:
    with pytest.raises(BadUserInputError, match="is not the hash of the query"):
        documents().find(apq("{ a }", digest("{ b }")), ME)


def test_persisted_queries_can_be_switched_off() -> None:
    with pytest.raises(PersistedQueryNotSupportedError):
        documents(apq=False).find(apq(None, digest("{ a }")), ME)


def test_trusted_documents_are_found_by_id_and_by_hash_of_the_same() -> None:
    found = Found("{ trusted }", trusted=True, by_id=True)
    assert documents().find(Asked(None, "sha256:one", {}), ME) == found
    assert documents().find(Asked(None, "one", {}), ME) == found
    with pytest.raises(PersistedQueryNotFoundError):
        documents().find(Asked(None, "two", {}), ME)
    with pytest.raises(BadUserInputError, match="documentId"):
        documents().find(Asked("{ a }", "one", {}), ME)


def test_only_trusted_documents_are_answered_if_so_set() -> None:
    strict = documents(mode="enforce")
    assert strict.find(Asked("{ trusted }", None, {}), ME) == Found("{ trusted }", trusted=True)
    with pytest.raises(PersistedQueryNotSupportedError):
        strict.find(Asked("{ a }", None, {}), ME)
    assert documents(mode="log").find(Asked("{ a }", None, {}), ME) == Found("{ a }", trusted=False)


def test_a_trusted_document_is_known_by_its_hash_where_no_other_is() -> None:
    text = "{ trusted }"
    kept = Documents(False, 2, {digest(text): text}, "enforce", Metrics())
    named = kept.find(apq(None, digest(text).upper()), ME)
    assert named == Found(text, trusted=True, recalled=digest(text))
    sent = kept.find(apq(text), ME)
    assert sent == Found(text, trusted=True)
    for asked in (apq("{ other }"), apq(None, digest("{ other }"))):
        with pytest.raises(PersistedQueryNotSupportedError):
            kept.find(asked, ME)


def test_a_document_that_is_sent_has_a_length() -> None:
    longest = "{ a }" + "#" * 95
    trusted = {"one": longest + "#"}
    kept = Documents(True, 2, trusted, "off", Metrics(), max_characters=100)
    assert kept.find(Asked(longest, None, {}), ME) == Found(longest, trusted=False)
    assert kept.find(Asked("{ \U0001f600" + " " * 97, None, {}), ME)
    for asked in (Asked(longest + "#", None, {}), apq(longest + "#")):
        with pytest.raises(DocumentRefusedError, match=r"more than 100 characters"):
            kept.find(asked, ME)
    named = kept.find(Asked(None, "one", {}), ME)
    assert named is not None
    assert named.text == trusted["one"]
