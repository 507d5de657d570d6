"""What a compiler says of what it does not compile."""

from __future__ import annotations


class UnsupportedError(Exception):
    """The operation is left to graphql-core; the message says because of what."""
