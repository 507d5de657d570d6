"""Which requests have one answer: a key of what the caller may see and what is asked.

Two requests share a key only if the execution could not tell them apart: it is made of the coerced
variables that are executed. Where a default is written out, or `7` for the id `"7"`, it is the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Mapping
from decimal import Decimal
from typing import Any

import orjson

Key = tuple[Hashable, bytes]
"""The caller's visibility, and the digest of what is asked."""


def digest(document: str, operation_name: str | None, coerced: Mapping[str, Any]) -> bytes:
    """The digest of an operation with its coerced variables.

    A variable that is absent is not one that is null: only absence lets an argument's default in.
    """
    hashed = hashlib.blake2b(digest_size=32)
    name = b"\0" if operation_name is None else b"\1" + operation_name.encode()
    for part in (document.encode("utf-8", "surrogatepass"), name, canonical(coerced)):
        hashed.update(len(part).to_bytes(8, "big"))
        hashed.update(part)
    return hashed.digest()


def canonical(value: Any) -> bytes:
    """JSON with the keys of all objects in order; different values of a type have different texts."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS, default=_text)


def _text(value: object) -> str:
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no canonical text")


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
