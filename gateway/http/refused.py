"""A request that is refused before its document is looked at, and who is told of one that is not even let in."""

from __future__ import annotations

from collections.abc import Callable

from starlette.types import Scope

from gateway.execution import error_format
from gateway.execution.outcome import Outcome
from graphql_schema.error_codes import ErrorCode

TellRefused = Callable[[Scope, str, int], None]
"""Called with a request, its id and its status, where nobody looks at who asks or what."""


def tell_nobody(_scope: Scope, _request_id: str, _status: int) -> None:
    """Tell nobody."""


class RequestRefusedError(Exception):
    """The request is not one that GraphQL over HTTP knows."""

    def __init__(
        self,
        status: int,
        message: str,
        code: ErrorCode = ErrorCode.BAD_USER_INPUT,
        headers: tuple[tuple[bytes, bytes], ...] = (),
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.headers = headers

    @property
    def outcome(self) -> Outcome:
        """What is told of it."""
        shown = error_format.plain(str(self), self.code)
        return Outcome(
            errors=(shown,), status=self.status, headers=self.headers, codes=(self.code.name,)
        )
