"""The list of trusted documents, in the forms that clients' tools write; what is none is not guessed at."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from graphql import ExecutableDefinitionNode, GraphQLError, parse

PREFIX = "sha256:"
"""Ids are known with and without it; one of 64 digits behind it is a promise."""

MAX_BYTES = 64 * 1024 * 1024
"""Of a list; one of 10,000 documents has about 20 MiB."""

APOLLO = "apollo-persisted-query-manifest"
APOLLO_VERSION = 1


_HASH = re.compile(PREFIX + "[0-9a-fA-F]{64}")


class ManifestError(ValueError):
    """The file is no list of documents; the message, which follows the file's name, says why."""


def read(path: str) -> Mapping[str, str]:
    """Id to document; nothing for no path.

    Read are an object of id to text, as graphql-codegen and Relay write it, and Apollo's
    `apollo-persisted-query-manifest`. Raises `OSError`, and `ManifestError` for all else.
    """
    if not path:
        return {}
    raw = _bytes_of(Path(path))
    try:
        content = json.loads(raw.decode("utf-8-sig"), object_pairs_hook=_Pairs)
    except (ValueError, RecursionError):
        raise ManifestError("is not JSON") from None
    if not isinstance(content, _Pairs):
        raise ManifestError(
            "is neither an object of id to document, as graphql-codegen and Relay write it, "
            f"nor Apollo's {APOLLO}"
        )
    apollo = "format" in content.names() or "operations" in content.names()
    return _known(_of_apollo(content) if apollo else content)


def _bytes_of(path: Path) -> bytes:
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise ManifestError("is no file but a device or a pipe")  # reading one may never end
    with path.open("rb") as file:
        content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise ManifestError(f"has over {MAX_BYTES:,} bytes")
    return content


class _Pairs(list[tuple[str, Any]]):
    """An object of JSON, in which a name may come twice."""

    def names(self) -> set[str]:
        return {name for name, _ in self}


def _of_apollo(content: _Pairs) -> Iterator[tuple[Any, Any]]:
    said = dict(content)
    if (said.get("format"), said.get("version")) != (APOLLO, APOLLO_VERSION):
        raise ManifestError(
            f"has format {said.get('format')!r} and version {said.get('version')!r}: "
            f"of such files only {APOLLO} of version {APOLLO_VERSION} is read"
        )
    operations = said.get("operations")
    if isinstance(operations, _Pairs) or not isinstance(operations, list):
        raise ManifestError("has no list of `operations`")
    for place, each in enumerate(operations):
        if not isinstance(each, _Pairs) or not {"id", "body"} <= each.names():
            raise ManifestError(f"has no `id` and `body` in operations[{place}]")
        operation = dict(each)
        yield operation["id"], operation["body"]


def _known(pairs: Iterable[tuple[Any, Any]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, text in pairs:
        if not isinstance(name, str) or not name.removeprefix(PREFIX):
            raise ManifestError(f"has {str(name)[:100]!r} for an id")
        if (why := _fault(text)) is not None:
            raise ManifestError(f"has no GraphQL document for {name[:100]!r}: {why}")
        if found.setdefault(name.removeprefix(PREFIX), text) != text:
            raise ManifestError(f"has two documents for {name[:100]!r}")
        if _HASH.fullmatch(name) and name.lower() != (of_text := PREFIX + _sha256(text)):
            raise ManifestError(f"has for {name!r} a document of which {of_text} is the hash")
    return found


def _fault(text: object) -> str | None:
    """Why it is no document that can be asked; to read one takes 0.3 ms."""
    if not isinstance(text, str):
        return "it is no text"
    try:
        document = parse(text, no_location=True)
    except GraphQLError as error:
        return error.message
    executable = [isinstance(each, ExecutableDefinitionNode) for each in document.definitions]
    return None if all(executable) else "it defines something else than operations and fragments"


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
