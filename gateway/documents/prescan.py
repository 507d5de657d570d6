"""A first look at a document's text: how many tokens, how deep, before anything is built from it."""

from __future__ import annotations

import re

from gateway.documents.caps import Caps, refuse

# Until 3.11.5 Python lost its place where a possessive group fails in its middle (gh-106052). A text has
# only one way to be read, so that going back in it without end is not possible either.
_TOKEN = re.compile(
    r"""
    (?:[\s,\ufeff]++|\#[^\n\r]*+)*+       # what GraphQL ignores
    (?:
      (?P<open>[{(\[]) | (?P<close>[})\]]) | (?P<directive>@)
    | (?P<word>[_A-Za-z0-9-][_A-Za-z0-9.+-]*+) | (?P<spread>\.\.\.) | (?P<mark>[!$&:=|])
    | (?P<text>\"\"\"(?:[^"\\]|\\\"\"\"|\\(?!\"\"\")|"(?!""))*\"\"\" | "(?!"")(?:[^"\\\n\r]|\\.)*")
    | (?P<bad>\S) | (?P<end>\Z)           # something matches anywhere: no place is tried twice
    )
    """,
    re.VERBOSE,
)


MAX_NAME = 128
"""Characters of a name or number: names come back in paths and messages."""


def scan(text: str, caps: Caps) -> int:
    """The number of tokens; raises `DocumentRefusedError` for a document over its caps.

    Its work is bounded by the caps. It stops where the text is no GraphQL: parsing will say so.
    """
    tokens = depth = directives = 0
    for found in _TOKEN.finditer(text):
        kind = found.lastgroup
        if kind in ("bad", "end"):
            break
        tokens += 1
        if tokens > caps.max_tokens:
            refuse("tokens", caps.max_tokens)
        if kind == "word" and found.end(kind) - found.start(kind) > MAX_NAME:
            refuse("characters in a name", MAX_NAME)
        if kind == "open":
            depth += 1
            if depth > caps.max_nesting:
                refuse("levels of brackets", caps.max_nesting)
        elif kind == "close":
            depth -= 1
        elif kind == "directive":
            directives += 1
            if directives > caps.max_directives:
                refuse("directives", caps.max_directives)
    return tokens
