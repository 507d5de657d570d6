"""Prints the SDL: `python -m gateway.execution.sdl > graphql_schema/schema.graphql`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from typing import Any

from graphql import DefinitionNode, DocumentNode, parse, print_ast

from gateway.execution.schema import make_schema
from gateway.execution.told_limits import Told

_ONE_OF = '''
"""
Exactly one field of the input is given, and it is not null. Declared for tools that do not know it from the specification of September 2025.
"""
directive @oneOf on INPUT_OBJECT
'''


def sdl(told: Told = ()) -> str:
    """The schema in GraphQL's language with its directives, sorted, a newline at its end; `told` as `make_schema` has it."""
    return _sdl(told)


@lru_cache(maxsize=8)
def _sdl(told: Told) -> str:
    printed = [*parse(make_schema(told).as_str()).definitions, *parse(_ONE_OF).definitions]
    definitions = {_place(each): _sorted(each) for each in printed}
    own = DocumentNode(definitions=tuple(definitions[place] for place in sorted(definitions)))
    return "\n".join(_spaced(print_ast(own))) + "\n"


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
