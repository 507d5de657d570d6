"""How a field reaches what answers it: through the operation's context, whoever made that."""

from __future__ import annotations

from typing import Any, Protocol, cast

import strawberry


class Context(Protocol):
    """What an operation's context has to have."""

    def resolvers_at(self, path: list[str | int]) -> Any:
        """What answers the field at a path; each module of types says what it asks of that."""
        ...


def resolvers_at(info: strawberry.Info) -> Any:
    """The running operation's resolvers for the field that asks."""
    return cast("Context", info.context).resolvers_at(info.path.as_list())
