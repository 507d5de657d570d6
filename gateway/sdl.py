"""Prints the SDL: `python -m gateway.sdl > graphql_schema/schema.graphql`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import Any

from graphql import DefinitionNode, DocumentNode, parse, print_ast

from gateway.schema import make_schema


@cache
def sdl() -> str:
    """The schema in GraphQL's language with its directives, sorted, a newline at its end."""
    definitions = sorted(parse(make_schema().as_str()).definitions, key=_place)
    own = [_sorted(each) for each in definitions if _place(each) != (False, "oneOf")]
    return "\n".join(_spaced(print_ast(DocumentNode(definitions=tuple(own))))) + "\n"


def _place(definition: DefinitionNode) -> tuple[bool, str]:
    """Directives first, then types by name."""
    name = getattr(definition, "name", None)
    return definition.kind != "directive_definition", name.value if name else ""


def _sorted(definition: Any) -> Any:
    """A definition whose fields, values and arguments stand in alphabetical order."""
    changed = {
        key: tuple(_sorted(each) for each in sorted(inner, key=lambda each: each.name.value))
        for key in ("fields", "values", "arguments")
        if (inner := getattr(definition, key, None))
    }
    return replace(definition, **changed) if changed else definition


def _spaced(text: str) -> Iterator[str]:
    """The lines, with an empty one before each description that follows something."""
    before, inside = "{", False
    for line in text.splitlines():
        words = line.strip()
        if words.startswith('"""'):
            if not inside and before and before[-1] not in "{(":
                yield ""
            inside = not inside if words == '"""' else inside
        yield line
        before = words


if __name__ == "__main__":
    sys.stdout.write(sdl())
