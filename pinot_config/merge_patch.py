"""JSON Merge Patch (RFC 7396): a document with another laid over it; pure."""

from __future__ import annotations

from typing import Any


def merged(below: Any, over: Any) -> Any:
    """`below` with the keys of `over` in their place; null takes a key away, lists are replaced as a whole."""
    if not isinstance(over, dict):
        return over
    kept = dict(below) if isinstance(below, dict) else {}
    for key, value in over.items():
        if value is None:
            kept.pop(key, None)
        else:
            kept[key] = merged(kept.get(key), value)
    return kept
