"""Whether servers answer alike, asked before any of them is measured."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tests.load.gateway import mix
from tests.load.gateway.running import Server


class DifferentAnswersError(Exception):
    """Two servers gave different answers to one question; nothing is measured then."""


def check_equal(servers: Iterable[Server], documents: Iterable[str], window: dict[str, Any]) -> int:
    """Ask all servers for all documents; returns how many answers were compared.

    Raises:
        DifferentAnswersError: naming the document, both servers and the first difference.

    """
    first, *others = servers
    compared = 0
    for name in documents:
        body = mix.body(name, window)
        expected = first.ask(body)
        if expected.get("errors") or "data" not in expected:
            raise DifferentAnswersError(f"{first.name} cannot answer {name}: {expected}")
        for other in others:
            where = difference(expected["data"], other.ask(body).get("data"))
            if where:
                raise DifferentAnswersError(f"{name}: {first.name} and {other.name}: {where}")
            compared += 1
    return compared


def difference(left: Any, right: Any, path: str = "data") -> str | None:
    """Where two JSON values differ first; `None` where they are equal."""
    if isinstance(left, dict) and isinstance(right, dict) and left.keys() == right.keys():
        pairs = ((f"{path}.{key}", left[key], right[key]) for key in left)
    elif isinstance(left, list) and isinstance(right, list) and len(left) == len(right):
        pairs = ((f"{path}[{n}]", *each) for n, each in enumerate(zip(left, right, strict=True)))
    else:
        return None if left == right else f"{path} is {left!r:.80} and {right!r:.80}"
    return next((found for p, a, b in pairs if (found := difference(a, b, p))), None)
