"""Which requests have one answer: a key of what the caller may see and what is asked.

Two requests share a key only if the execution could not tell them apart. Requests that mean the
same but say it in other ways (a default value written out, `1.0` for `1`) may have two keys.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Hashable, Mapping
from typing import Any

import orjson

Key = tuple[Hashable, bytes]
"""The caller's visibility, and the digest of what is asked."""


def digest(
    document: str,
    operation_name: str | None,
    variables: Mapping[str, Any] | None,
    declared: Collection[str],
) -> bytes:
    """The digest of an operation.

    Variables that the operation does not declare are ignored, as the execution ignores them: else
    any caller could fill the cache with one answer. A variable that is absent is not one that is
    null: only absence lets a default in.
    """
    given = {name: value for name, value in (variables or {}).items() if name in declared}
    hashed = hashlib.blake2b(digest_size=32)
    name = b"\0" if operation_name is None else b"\1" + operation_name.encode()
    for part in (document.encode("utf-8", "surrogatepass"), name, canonical(given)):
        hashed.update(len(part).to_bytes(8, "big"))
        hashed.update(part)
    return hashed.digest()


def canonical(value: Any) -> bytes:
    """JSON with the keys of all objects in order; different values have different texts."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def shared_name(generation: bytes, key: Key) -> str:
    """The key as a name in a store that processes share.

    `generation` tells processes apart whose answers differ: by their schema, limits, or store.
    """
    visibility, asked = key
    hashed = hashlib.sha256()
    for part in (generation, canonical(_listed(visibility)), asked):
        hashed.update(len(part).to_bytes(8, "big"))
        hashed.update(part)
    return hashed.hexdigest()


def _listed(value: Hashable) -> Any:
    """A visibility as JSON, each kind of collection marked, so that no two are written alike."""
    if isinstance(value, tuple):
        return ["tuple", *(_listed(each) for each in value)]
    if isinstance(value, frozenset):
        return ["set", *sorted(value)]
    if value is None or isinstance(value, str | bool | int):
        return value
    raise TypeError(f"a visibility is made of text, not of {type(value).__name__}")
