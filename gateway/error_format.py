"""From an error of the execution to what the caller sees: a code, and nothing internal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from graphql import GraphQLError, GraphQLSyntaxError, ValueNode
from strawberry.types.execution import ExecutionResult, PreExecutionError

from gateway.errors import CallerError, ForbiddenError, GatewayError, RateLimitedError
from graphql_schema.error_codes import ErrorCode
from graphql_schema.scalars import ScalarInputError

INTERNAL = "Something went wrong on our side; quote the requestId when reporting it."

MAX_SHOWN = 20
"""Errors shown of one operation."""

MAX_MESSAGE = 300
"""Characters of a message."""

MAX_LOCATIONS = 5


@dataclass(frozen=True, slots=True)
class ShownError:
    """An error as the caller sees it, and the cause if it belongs into the log."""

    code: ErrorCode
    body: dict[str, Any]
    cause: BaseException | None


def shown(error: GraphQLError, result: ExecutionResult, request_id: str) -> ShownError:
    """One error of a result."""
    cause = root_cause(error)
    code = code_of(error, cause, result)
    message = error.message
    to_log: BaseException | None = None
    if isinstance(cause, GatewayError):
        message = cause.public_message
        to_log = None if isinstance(cause, CallerError) else cause
    elif code is ErrorCode.INTERNAL_SERVER_ERROR:
        message, to_log = INTERNAL, cause
    body: dict[str, Any] = {"message": shortened(message)}
    if error.locations:
        body["locations"] = [each.formatted for each in error.locations[:MAX_LOCATIONS]]
    if error.path is not None:
        body["path"] = error.path
    body["extensions"] = extensions(code, request_id, cause)
    return ShownError(code, body, to_log)


def plain(error: GatewayError | str, code: ErrorCode, request_id: str) -> dict[str, Any]:
    """An error of the request itself, before there is anything to execute."""
    message = error.public_message if isinstance(error, GatewayError) else error
    told: dict[str, Any] = {"code": code.name, "requestId": request_id}
    if isinstance(error, RateLimitedError):
        told["retryAfterSeconds"] = error.balance.retry_after_s
    return {"message": shortened(message), "extensions": told}


def shortened(message: str) -> str:
    """The message, which may quote what was sent, at a length that is no gift to the sender."""
    return message if len(message) <= MAX_MESSAGE else message[: MAX_MESSAGE - 1] + "…"


def and_more(number: int, code: ErrorCode, request_id: str) -> dict[str, Any]:
    """The error that stands for those beyond `MAX_SHOWN`."""
    return plain(f"{number} more errors are not shown.", code, request_id)


def extensions(code: ErrorCode, request_id: str, cause: BaseException) -> dict[str, Any]:
    """The code, the request's id, and the argument at fault or the right that is missing."""
    given: dict[str, Any] = {"code": code.name, "requestId": request_id}
    argument = getattr(cause, "argument", None)
    if argument is not None:
        given["argument"] = argument
    if isinstance(cause, ForbiddenError):
        given["missingRight"] = cause.right.name
    return given


def root_cause(error: GraphQLError) -> BaseException:
    """The error that was raised, inside what GraphQL wrapped around it."""
    cause: BaseException = error
    while isinstance(cause, GraphQLError) and cause.original_error is not None:
        cause = cause.original_error
    return cause


def code_of(error: GraphQLError, cause: BaseException, result: ExecutionResult) -> ErrorCode:
    """The error's code, by what it is and when it came up."""
    if isinstance(cause, GatewayError):
        return cause.code
    if isinstance(cause, ScalarInputError):
        return ErrorCode.BAD_USER_INPUT
    if isinstance(cause, GraphQLSyntaxError):
        return ErrorCode.GRAPHQL_PARSE_FAILED
    if not isinstance(cause, GraphQLError):
        return ErrorCode.INTERNAL_SERVER_ERROR
    if isinstance(result, PreExecutionError):
        return ErrorCode.GRAPHQL_VALIDATION_FAILED
    if error.path is None and result.data is None:
        # Variables that do not fit their types.
        return ErrorCode.BAD_USER_INPUT
    if any(isinstance(node, ValueNode) for node in cause.nodes or ()):
        # A variable that is null where only its field's argument may not be.
        return ErrorCode.BAD_USER_INPUT
    return ErrorCode.INTERNAL_SERVER_ERROR
