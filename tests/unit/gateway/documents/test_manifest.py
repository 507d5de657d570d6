"""Lists of trusted documents as clients' tools write them, and why anything else is refused."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from gateway.documents import manifest
from gateway.documents.manifest import ManifestError, read
from gateway.settings import Settings, SettingsError
from tests.unit.gateway.served import Gateway

TOTALS = "query Totals($id: ID!) {\n  account(id: $id) {\n    id\n  }\n}\n"
FIRST = "{ limits { maxFirst } }"
FIRST_HASH = "sha256:a8f3e324b4a372a04a9cfcdaff0752d98e0801190ab08ea929f1c8f98c16c134"
APOLLO = {
    "format": "apollo-persisted-query-manifest",
    "version": 1,
    "operations": [
        {"id": "47ef587a", "name": "Totals", "type": "query", "body": TOTALS},
        {"id": "b2", "name": "First", "type": "query", "body": FIRST, "clientName": "web"},
    ],
}


def written(folder: Path, content: object) -> str:
    path = folder / "manifest.json"
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return str(path)


@pytest.mark.parametrize(
    ("content", "known"),
    [
        (
            {"sha256:e130": TOTALS, "d6a5": FIRST},
            {"e130": TOTALS, "d6a5": FIRST},
        ),  # graphql-codegen
        (
            {"be0e9469f1699a78ace1bdd1deac965d": TOTALS},
            {"be0e9469f1699a78ace1bdd1deac965d": TOTALS},
        ),
        (APOLLO, {"47ef587a": TOTALS, "b2": FIRST}),
        (APOLLO | {"operations": []}, {}),
        ({}, {}),
        (b"\xef\xbb\xbf{}", {}),
        ({"a": "# first\n\ufeff , fragment F on Account { id } query Q { a }"}, None),
        ({"a": "mutation { a }", "b": "subscription S { a }", "c": "query{a}"}, None),
        ({"version": FIRST, "documents": FIRST}, None),
        (b'{"a": "{ a }", "a": "{ a }"}', {"a": "{ a }"}),
        ({FIRST_HASH: FIRST}, {FIRST_HASH[7:]: FIRST}),
        ({"sha256:" + FIRST_HASH[7:].upper(): FIRST}, {FIRST_HASH[7:].upper(): FIRST}),
    ],
)
def test_what_tools_write_is_read(
    tmp_path: Path, content: object, known: dict[str, str] | None
) -> None:
    assert read(written(tmp_path, content)) == (content if known is None else known)


def test_no_manifest_is_no_document() -> None:
    assert read("") == {}


def operation(**changed: Any) -> dict[str, Any]:
    return APOLLO | {"operations": [APOLLO["operations"][0], {"id": "b2", "body": FIRST} | changed]}  # type: ignore[index]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"{", "is not JSON"),
        (b"\xff", "is not JSON"),
        (b"[" * 100_000, "is not JSON"),
        ([FIRST], "is neither an object of id to document, as graphql-codegen and Relay write it"),
        (FIRST, "is neither an object of id to document"),
        (None, "is neither an object of id to document"),
        ({"a": 1}, "has no GraphQL document for 'a'"),
        ({"a": None}, "has no GraphQL document for 'a'"),
        ({"a": FIRST, "b": ""}, "has no GraphQL document for 'b'"),
        ({"a": "SELECT 1"}, "has no GraphQL document for 'a'"),
        ({"a": "#" * 10_000 + " ,\n" * 10_000 + "!"}, "has no GraphQL document for 'a'"),
        ({"a": "queryable { a }"}, "has no GraphQL document for 'a'"),
        ({"a": "{ limits { maxFirst }"}, "'a': Syntax Error: Expected Name, found <EOF>."),
        ({"a": FIRST, "b": FIRST + " query {"}, "no GraphQL document for 'b': Syntax Error"),
        ({"a": "type Query { a: Int }"}, "'a': it defines something else than operations"),
        ({"a": FIRST + " scalar X"}, "'a': it defines something else than operations"),
        (
            {"a": "{a" * 100_000},
            "has no GraphQL document for 'a': Syntax Error: Document is nested too deep",
        ),
        ({"a": {"query": FIRST}}, "has no GraphQL document for 'a'"),
        ({"version": 1, "documents": {"a": FIRST}}, "has no GraphQL document for 'version'"),
        ({"": FIRST}, "has '' for an id"),
        ({"sha256:": FIRST}, "has 'sha256:' for an id"),
        (b'{"a": "{ a }", "a": "{ b }"}', "has two documents for 'a'"),
        ({"a": FIRST, "sha256:a": TOTALS}, "has two documents for 'sha256:a'"),
        (
            APOLLO | {"version": 2},
            "of such files only apollo-persisted-query-manifest of version 1",
        ),
        (APOLLO | {"version": "1"}, "and version '1'"),
        (APOLLO | {"format": "other"}, "has format 'other'"),
        ({"operations": []}, "has format None"),
        (APOLLO | {"operations": None}, "has no list of `operations`"),
        (APOLLO | {"operations": {"a": FIRST}}, "has no list of `operations`"),
        (APOLLO | {"operations": [FIRST]}, "has no `id` and `body` in operations[0]"),
        (APOLLO | {"operations": [{"id": "a"}]}, "has no `id` and `body` in operations[0]"),
        (operation(body=["{ a }"]), "has no GraphQL document for 'b2'"),
        (operation(id=7), "has '7' for an id"),
        (operation(id="47ef587a"), "has two documents for '47ef587a'"),
        ({FIRST_HASH: FIRST + " "}, f"has for '{FIRST_HASH}' a document of which sha256:"),
        (
            operation(id="sha256:" + "0" * 64),
            f"'sha256:{'0' * 64}' a document of which {FIRST_HASH} ",
        ),
        (b"{}" + b" " * manifest.MAX_BYTES, "has over 67,108,864 bytes"),
    ],
)
def test_anything_else_is_refused_at_the_start_and_told(
    tmp_path: Path, content: object, why: str
) -> None:
    path = written(tmp_path, content)
    with pytest.raises(ManifestError) as refused:
        read(path)
    assert why in str(refused.value)
    with pytest.raises(SettingsError) as told:
        Gateway(Settings(trusted_documents_manifest=path))
    assert str(told.value).startswith(
        f"GATEWAY_TRUSTED_DOCUMENTS_MANIFEST names {path!r}, which {refused.value}"
    )


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("/dev/zero", "is no file but a device or a pipe"),
        ("folder", "cannot be read (Is a directory)"),
        ("pipe", "is no file but a device or a pipe"),
        ("none", "cannot be read (No such file or directory)"),
    ],
)
def test_what_is_no_file_is_refused_and_not_waited_for(tmp_path: Path, path: str, why: str) -> None:
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    named = str(tmp_path / path)
    with pytest.raises(SettingsError, match=re.escape(f"names {named!r}, which {why}")):
        Gateway(Settings(trusted_documents_manifest=named))


@pytest.mark.anyio
async def test_apollos_clients_ask_by_the_ids_of_their_manifest(tmp_path: Path) -> None:
    settings = Settings(
        persisted_queries=False,
        trusted_documents="enforce",
        trusted_documents_manifest=written(tmp_path, operation(id="c" * 64)),
    )
    gateway = Gateway(settings)
    for asked in (
        {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": "c" * 64}}},
        {"documentId": "c" * 64},
    ):
        answer = await gateway.client.post("/graphql", json=asked)
        assert answer.json()["data"] == {"limits": {"maxFirst": 100}}
