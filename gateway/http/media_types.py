"""Media types as senders write them: in any case, with blanks, quotes, a `;` too many (RFC 9110, section 8.3.1)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"?', re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class MediaType:
    """A type, or a range of them, in lower case, with its parameters as they stand, names in lower case."""

    name: str
    parameters: tuple[tuple[str, str], ...] = ()

    def all(self, parameter: str) -> tuple[str, ...]:
        """The values of a parameter; more than one, if it is said more than once."""
        return tuple(value for name, value in self.parameters if name == parameter)


def read(text: str) -> MediaType:
    """One media type."""
    name, *parameters = split(text, ";")
    pairs = (each.partition("=") for each in parameters if each)
    return MediaType(
        name.lower(), tuple((key.strip().lower(), _unquoted(value)) for key, _, value in pairs)
    )


def split(text: str, at: str) -> list[str]:
    """The parts between separators that are not quoted, without the blanks around them."""
    if '"' not in text:
        return [part.strip() for part in text.split(at)]
    parts = [""]
    for quoted, piece in _pieces(text):
        first, *others = [piece] if quoted else piece.split(at)
        parts[-1] += first
        parts += others
    return [part.strip() for part in parts]


def _pieces(text: str) -> Iterator[tuple[bool, str]]:
    """What is quoted, and what is not, in order."""
    end = 0
    for found in _QUOTED.finditer(text):
        yield False, text[end : found.start()]
        yield True, found[0]
        end = found.end()
    yield False, text[end:]


def _unquoted(value: str) -> str:
    value = value.strip()
    if not value.startswith('"'):
        return value
    return _ESCAPED.sub(r"\1", value.removeprefix('"').removesuffix('"'))
