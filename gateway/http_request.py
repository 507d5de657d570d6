"""A GraphQL request as HTTP brings it: parsed and checked, before its document is looked at."""

from __future__ import annotations

import itertools
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

import orjson
from starlette.types import Receive, Scope

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
        headers: tuple[tuple[bytes, bytes], ...] = (),
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.headers = headers


@dataclass(frozen=True, slots=True)
class OperationRequest:
    """What to execute, still by any of the ways to say the document."""

    asked: Asked
    variables: dict[str, Any] | None
    operation_name: str | None
    method: str


class ClientGoneError(Exception):
    """The client hung up before its request was whole."""


class Head(NamedTuple):
    """A request without its body; a header that came twice is joined by a comma."""

    method: str
    query_string: bytes
    headers: Mapping[bytes, bytes]

    def get(self, name: bytes) -> str | None:
        """A header as text."""
        value = self.headers.get(name)
        return None if value is None else value.decode("latin-1")


def head_of(scope: Scope) -> Head:
    """The head of an ASGI request."""
    pairs: list[tuple[bytes, bytes]] = scope["headers"]
    headers = dict(pairs)
    if len(headers) != len(pairs):
        headers = {}
        for name, value in pairs:
            headers[name] = headers[name] + b", " + value if name in headers else value
    return Head(scope["method"], scope.get("query_string", b""), headers)


class RequestIds:
    """Names for requests: the client's own if it is harmless, else the process's next."""

    def __init__(self) -> None:
        self._process = secrets.token_hex(10)
        self._numbers = itertools.count()

    def of(self, head: Head) -> str:
        """The name of one request."""
        if b"x-request-id" in head.headers:
            given = head.get(b"x-request-id")
            if given is not None and _REQUEST_ID.fullmatch(given):
                return given
        return f"{self._process}{next(self._numbers):012x}"


async def body_of(head: Head, receive: Receive, max_body_bytes: int) -> bytes:
    """The whole body of a POST; raises `RequestRefusedError` or `ClientGoneError`."""
    if head.method != "POST":
        return b""
    body = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGoneError
        chunk: bytes = message.get("body", b"")
        if len(body) + len(chunk) > max_body_bytes:
            raise RequestRefusedError(413, f"The body may have up to {max_body_bytes} bytes.")
        body += chunk
        if not message.get("more_body", False):
            return body


def read(head: Head, body: bytes, max_body_bytes: int) -> OperationRequest:
    """The operation of a GET or POST; raises `RequestRefusedError`."""
    if head.method == "GET":
        return _operation(_parameters_of_url(head, max_body_bytes), "GET")
    if head.method != "POST":
        raise RequestRefusedError(
            405, "GraphQL is asked by GET or POST.", headers=((b"allow", b"GET, POST"),)
        )
    content_type, _, parameters = (head.get(b"content-type") or "").partition(";")
    if content_type.strip().lower() != "application/json":
        raise RequestRefusedError(415, "The body must be application/json.")
    charset = parameters.strip().lower().replace('"', "")
    if charset.startswith("charset=") and charset != "charset=utf-8":
        raise RequestRefusedError(415, "The body must be in UTF-8.")
    parsed = _json(body, "The body")
    if isinstance(parsed, list):
        raise RequestRefusedError(
            400, "Batches are not answered here: send one operation a request."
        )
    if not isinstance(parsed, dict):
        raise RequestRefusedError(400, "The body must be a JSON object.")
    return _operation(parsed, "POST")


def _parameters_of_url(head: Head, max_body_bytes: int) -> dict[str, Any]:
    if len(head.query_string) > max_body_bytes:
        raise RequestRefusedError(414, f"The URL may have up to {max_body_bytes} bytes.")
    parameters: dict[str, Any] = dict(
        parse_qsl(head.query_string.decode("latin-1"), keep_blank_values=True)
    )
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
