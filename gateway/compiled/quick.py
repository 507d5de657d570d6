"""Source code of what needs no resolver: one expression that reads attributes and builds dicts.

It keeps no account of where it is. Whatever it cannot do it raises, and the same value is completed
again with care, by the same plan, so that the error gets its path and its place.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Quick = Callable[[Any], Any]
"""From a value to its part of the response."""


class NotPlainError(Exception):
    """A value is not as simple as it was taken for."""


class Source:
    """An expression in the making, and the objects that it names."""

    def __init__(self) -> None:
        self._named: dict[str, Any] = {"fail": _fail}
        self._fresh = 0

    def name(self, value: object) -> str:
        """A name under which the expression finds an object."""
        for name, known in self._named.items():
            if known is value:
                return name
        name = f"c{len(self._named)}"
        self._named[name] = value
        return name

    def fresh(self) -> str:
        """A name for a value on the way."""
        self._fresh += 1
        return f"v{self._fresh}"

    def compile(self, argument: str, expression: str) -> Quick:
        """The expression as a function of one argument.

        It is made of names of the schema and of the document's aliases, which are names by
        GraphQL's grammar and quoted as well; no value of a request is in it.
        """
        code = compile(f"lambda {argument}: {expression}", "<compiled selection>", "eval")
        quick: Quick = eval(code, {"__builtins__": {}, **self._named})  # noqa: S307 # see above
        return quick


def _fail() -> Any:
    raise NotPlainError
