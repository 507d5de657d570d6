"""A GraphQL request as HTTP brings it: parsed and checked, before its document is looked at."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from typing import Any

import orjson
from starlette.requests import Request

from gateway.documents import Asked
from graphql_schema.error_codes import ErrorCode

MAX_VARIABLE_VALUES = 1_000
MAX_VARIABLES_DEPTH = 10
_REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")


class RequestRefusedError(Exception):
    """The request is not one that GraphQL over HTTP knows."""

    def __init__(
        self,
        status: int,
        message: str,
        code: ErrorCode = ErrorCode.BAD_USER_INPUT,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.headers = headers or {}


@dataclass(frozen=True, slots=True)
class OperationRequest:
    """What to execute, still by any of the ways to say the document."""

    asked: Asked
    variables: dict[str, Any] | None
    operation_name: str | None
    method: str


def request_id_of(request: Request) -> str:
    """The caller's `X-Request-Id` if it is harmless, else a new one."""
    given = request.headers.get("x-request-id", "")
    return given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex


async def read(request: Request, max_body_bytes: int) -> OperationRequest:
    """The operation of a GET or POST; raises `RequestRefusedError`."""
    if request.method == "GET":
        return _operation(_parameters_of_url(request, max_body_bytes), "GET")
    if request.method != "POST":
        raise RequestRefusedError(
            405, "GraphQL is asked by GET or POST.", headers={"Allow": "GET, POST"}
        )
    content_type, _, parameters = request.headers.get("content-type", "").partition(";")
    if content_type.strip().lower() != "application/json":
        raise RequestRefusedError(415, "The body must be application/json.")
    charset = parameters.strip().lower().replace('"', "")
    if charset.startswith("charset=") and charset != "charset=utf-8":
        raise RequestRefusedError(415, "The body must be in UTF-8.")
    parsed = _json(await _body(request, max_body_bytes), "The body")
    if isinstance(parsed, list):
        raise RequestRefusedError(
            400, "Batches are not answered here: send one operation a request."
        )
    if not isinstance(parsed, dict):
        raise RequestRefusedError(400, "The body must be a JSON object.")
    return _operation(parsed, "POST")


async def _body(request: Request, max_body_bytes: int) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > max_body_bytes:
            raise RequestRefusedError(413, f"The body may have up to {max_body_bytes} bytes.")
    return bytes(body)


def _parameters_of_url(request: Request, max_body_bytes: int) -> dict[str, Any]:
    if len(request.scope.get("query_string", b"")) > max_body_bytes:
        raise RequestRefusedError(414, f"The URL may have up to {max_body_bytes} bytes.")
    parameters: dict[str, Any] = dict(request.query_params)
    for name in ("variables", "extensions"):
        text = parameters.get(name)
        if text is not None:
            parameters[name] = _json(text, name) if text else None
    return parameters


def _json(text: str | bytes, what: str) -> Any:
    try:
        return orjson.loads(text)
    except ValueError:
        raise RequestRefusedError(400, f"{what} is not valid JSON.") from None


def _operation(parameters: dict[str, Any], method: str) -> OperationRequest:
    for name, kind, called in (
        ("query", str, "a string"),
        ("operationName", str, "a string"),
        ("documentId", str, "a string"),
        ("variables", dict, "an object"),
        ("extensions", dict, "an object"),
    ):
        value = parameters.get(name)
        if value is not None and not isinstance(value, kind):
            raise RequestRefusedError(400, f"`{name}` must be {called}, if given.")
    variables = parameters.get("variables")
    if variables is not None:
        _check_size(variables)
    asked = Asked(
        parameters.get("query"), parameters.get("documentId"), parameters.get("extensions") or {}
    )
    # urql and others send an empty operationName for "none".
    return OperationRequest(asked, variables, parameters.get("operationName") or None, method)


def _check_size(variables: dict[str, Any]) -> None:
    """Refuse variables of too many values or levels, level by level."""
    level: list[Any] = [variables]
    values = depth = 0
    while level:
        depth += 1
        below: list[Any] = []
        for each in level:
            if isinstance(each, dict | list):
                below += each.values() if isinstance(each, dict) else each
        values += len(below)
        if depth > MAX_VARIABLES_DEPTH or values > MAX_VARIABLE_VALUES:
            raise RequestRefusedError(
                400,
                f"`variables` may hold up to {MAX_VARIABLE_VALUES} values "
                f"in {MAX_VARIABLES_DEPTH} levels.",
            )
        level = below
