"""A request that is refused before its document is looked at."""

from __future__ import annotations

from gateway.execution import error_format
from gateway.execution.outcome import Outcome
from graphql_schema.error_codes import ErrorCode


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
