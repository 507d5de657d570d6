"""From an error of the execution to what the caller sees: a code, and nothing internal."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

from graphql import GraphQLError, GraphQLSyntaxError, ValueNode

from gateway.errors import (
    CallerError,
    ForbiddenError,
    GatewayError,
    OverloadedError,
    RateLimitedError,
)
from graphql_schema.error_codes import ErrorCode
from graphql_schema.scalars import ScalarInputError

INTERNAL = "Something went wrong on our side; quote the requestId when reporting it."

MAX_SHOWN = 20
"""Errors shown of one operation."""

MAX_MESSAGE = 300
"""Characters of a message."""

MAX_LOCATIONS = 5


class Stage(Enum):
    """How far an operation had come when an error came up."""

    VALIDATION = "validation"
    VARIABLES = "variables"
    FIELDS = "fields"


@dataclass(frozen=True, slots=True)
class ShownError:
    """An error as the caller sees it, but for its request id, and the cause if it is to be logged."""

    code: ErrorCode
    body: dict[str, Any]
    cause: BaseException | None


def shown(error: GraphQLError, stage: Stage) -> ShownError:
    """One error of an operation."""
    cause = root_cause(error)
    code = code_of(cause, stage)
    message = error.message
    to_log: BaseException | None = None
    if isinstance(cause, GatewayError):
        message = cause.public_message
        to_log = None if isinstance(cause, CallerError | OverloadedError) else cause
    elif code is ErrorCode.INTERNAL_SERVER_ERROR:
        message, to_log = INTERNAL, cause
    body: dict[str, Any] = {"message": shortened(message)}
    if error.locations:
        body["locations"] = [each.formatted for each in error.locations[:MAX_LOCATIONS]]
    if error.path is not None:
        body["path"] = error.path
    body["extensions"] = extensions(code, cause)
    return ShownError(code, body, to_log)


def plain(error: GatewayError | str, code: ErrorCode) -> dict[str, Any]:
    """An error of the request itself, before there is anything to execute."""
    message = error.public_message if isinstance(error, GatewayError) else error
    return {"message": shortened(message), "extensions": extensions(code, error)}


def shortened(message: str) -> str:
    """The message, which may quote what was sent, at a length that is no gift to the sender."""
    return message if len(message) <= MAX_MESSAGE else message[: MAX_MESSAGE - 1] + "…"


def and_more(number: int, code: ErrorCode) -> dict[str, Any]:
    """The error that stands for those beyond `MAX_SHOWN`."""
    return plain(f"{number} more errors are not shown.", code)


def extensions(code: ErrorCode, cause: object) -> dict[str, Any]:
    """The code, and what helps: the argument at fault, the right that is missing, how long to wait."""
    given: dict[str, Any] = {"code": code.name}
    argument = getattr(cause, "argument", None)
    if argument is not None:
        given["argument"] = argument
    if isinstance(cause, ForbiddenError):
        given["missingRight"] = cause.right.name
    if isinstance(cause, OverloadedError | RateLimitedError):
        given["retryAfterSeconds"] = cause.retry_after_s
    return given


def root_cause(error: GraphQLError) -> BaseException:
    """The error that was raised, inside what GraphQL wrapped around it."""
    cause: BaseException = error
    while isinstance(cause, GraphQLError) and cause.original_error is not None:
        cause = cause.original_error
    return cause


def code_of(cause: BaseException, stage: Stage) -> ErrorCode:
    """The error's code, by what it is and when it came up."""
    if isinstance(cause, GatewayError):
        return cause.code
    if isinstance(cause, ScalarInputError):
        return ErrorCode.BAD_USER_INPUT
    if isinstance(cause, GraphQLSyntaxError):
        return ErrorCode.GRAPHQL_PARSE_FAILED
    if not isinstance(cause, GraphQLError):
        return ErrorCode.INTERNAL_SERVER_ERROR
    if stage is Stage.FIELDS and any(isinstance(node, ValueNode) for node in cause.nodes or ()):
        # A variable that is null where only its field's argument may not be.
        return ErrorCode.BAD_USER_INPUT
    return _CODE_OF_STAGE[stage]


_CODE_OF_STAGE = {
    Stage.VALIDATION: ErrorCode.GRAPHQL_VALIDATION_FAILED,
    Stage.VARIABLES: ErrorCode.BAD_USER_INPUT,
    Stage.FIELDS: ErrorCode.INTERNAL_SERVER_ERROR,
}
