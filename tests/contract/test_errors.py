"""The error tree and the closed list of codes agree."""

from __future__ import annotations

from collections.abc import Iterator

from gateway import errors
from gateway.errors import CallerError, GatewayError, RateLimitedError, StoreError
from graphql_schema.error_codes import ErrorCode


def leaves(kind: type[GatewayError] = GatewayError) -> Iterator[type[GatewayError]]:
    below = kind.__subclasses__()
    if not below:
        yield kind
    for each in below:
        yield from leaves(each)


def test_every_leaf_has_one_code_of_its_own() -> None:
    # RATE_LIMITED is the caller's who spends too much, and ours when there is too much to do.
    for branch in (CallerError, StoreError):
        alike = [leaf for leaf in leaves(branch) if not issubclass(leaf, RateLimitedError)]
        codes = [leaf.code for leaf in alike]
        assert len(codes) == len(set(codes))
        assert all(isinstance(code, ErrorCode) for code in codes)


def test_the_tree_is_drawn_in_the_docstring() -> None:
    assert errors.__doc__ is not None
    for leaf in leaves():
        (line,) = (line for line in errors.__doc__.splitlines() if f" {leaf.__name__} " in line)
        assert line.split()[-1] == leaf.code.name


def test_a_store_error_shows_its_sentence_only() -> None:
    for leaf in leaves(StoreError):
        assert "secret" not in leaf("secret").public_message
    assert all(issubclass(leaf, CallerError | StoreError) for leaf in leaves())
