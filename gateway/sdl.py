"""Prints the SDL: `python -m gateway.sdl > graphql_schema/schema.graphql`."""

from __future__ import annotations

import sys
from functools import cache

from graphql import build_schema, lexicographic_sort_schema, print_schema

from gateway.schema import make_schema


@cache
def sdl() -> str:
    """The schema in GraphQL's language, sorted, with a newline at its end."""
    return print_schema(lexicographic_sort_schema(build_schema(make_schema().as_str()))) + "\n"


if __name__ == "__main__":
    sys.stdout.write(sdl())
