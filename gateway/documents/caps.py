"""What a document may have at most, and the one sentence that refuses more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NoReturn

from gateway.errors import DocumentRefusedError


@dataclass(frozen=True, slots=True)
class Caps:
    """Upper bounds of one document; the work that it can cause is linear in them."""

    max_tokens: int = 600
    max_depth: int = 12
    max_fields: int = 500
    max_aliases: int = 50
    max_root_fields: int = 20
    max_directives: int = 50
    max_fragments: int = 30
    max_operations: int = 10
    max_variables: int = 50

    @property
    def max_nesting(self) -> int:
        """Brackets may nest deeper than fields: arguments and lists have brackets too."""
        return 2 * self.max_depth + 16


def refuse(what: str, most: int) -> NoReturn:
    """Refuse a document that has more than `most` of something."""
    raise DocumentRefusedError(f"The document has more than {most} {what}; {most} is the limit.")
