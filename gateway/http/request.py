"""A GraphQL request as HTTP brings it: parsed and checked, before its document is looked at."""

from __future__ import annotations

import itertools
import re
import secrets
from collections.abc import Container, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from starlette.types import Receive, Scope

from gateway.documents.named import Asked
from gateway.http import content_encoding, exact_json, media_types
from gateway.http.exact_json import JsonRefusedError
from gateway.http.refused import RequestRefusedError

_KINDS: Mapping[str, tuple[type, str]] = {
    "query": (str, "a string"),
    "operationName": (str, "a string"),
    "documentId": (str, "a string"),
    "variables": (dict, "an object"),
    "extensions": (dict, "an object"),
}
"""What a request may say."""

MAX_URL_BYTES = 16_384
"""Of what follows the `?`. It is a part of the head, which has a bound of its own, here and in proxies."""

_UTF_8 = frozenset({"", "utf-8", "utf8", "us-ascii", "ascii"})
"""The names that senders give UTF-8, and its first half; or they name nothing."""

_REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")


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


def address_of(scope: Scope) -> str:
    """The address that a request comes from; empty where the server knows none."""
    client = scope.get("client")
    return client[0] if client else ""


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
    """The whole body of a POST, unpacked; raises `RequestRefusedError` or `ClientGoneError`."""
    if head.method != "POST":
        return b""
    packed = content_encoding.is_packed(head.headers.get(b"content-encoding"))
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
            return content_encoding.unpacked(body, max_body_bytes) if packed else body


def read(head: Head, body: bytes, max_body_bytes: int) -> OperationRequest:
    """The operation of a GET or POST; raises `RequestRefusedError`."""
    if head.method == "GET":
        return _operation(_parameters_of_url(head, max_body_bytes), "GET")
    if head.method != "POST":
        raise RequestRefusedError(
            405, "GraphQL is asked by GET or POST.", headers=((b"allow", b"GET, POST"),)
        )
    content_type = media_types.read(head.get(b"content-type") or "")
    if content_type.name != "application/json":
        raise RequestRefusedError(415, "The body must be application/json.")
    if not {each.lower() for each in content_type.all("charset")} <= _UTF_8:
        raise RequestRefusedError(415, "The body must be in UTF-8.")
    parsed = _json(body, "The body", exact_json.MAX_LEVELS + 1)
    if isinstance(parsed, list):
        raise RequestRefusedError(
            400, "Batches are not answered here: send one operation a request."
        )
    if not isinstance(parsed, dict):
        raise RequestRefusedError(400, "The body must be a JSON object.")
    return _operation(parsed, "POST")


def parameters_of(
    head: Head, most_bytes: int, known: Container[str], instead: str = ""
) -> dict[str, str]:
    """What stands behind the `?`; raises `RequestRefusedError`, so if one of the known ones stands there twice."""
    if len(head.query_string) > most_bytes:
        raise RequestRefusedError(414, f"The URL may have up to {most_bytes} bytes{instead}.")
    try:
        text = head.query_string.decode()
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict")
    except UnicodeDecodeError:
        raise RequestRefusedError(400, "The URL must be in UTF-8.") from None
    said = [name for name, _ in pairs if name in known]
    if len(set(said)) != len(said):
        raise RequestRefusedError(400, "The URL says a parameter twice.")
    return dict(pairs)


def _parameters_of_url(head: Head, max_body_bytes: int) -> dict[str, Any]:
    most = min(MAX_URL_BYTES, max_body_bytes)
    parameters: dict[str, Any] = parameters_of(head, most, _KINDS, instead="; send a POST")
    for name in ("variables", "extensions"):
        text = parameters.get(name, "")
        parameters[name] = _json(text, f"`{name}`") if text else None
    return parameters


def _json(text: str | bytes, what: str, levels: int = exact_json.MAX_LEVELS) -> Any:
    try:
        return exact_json.loads(text, levels)
    except JsonRefusedError as error:
        raise RequestRefusedError(400, f"{what} {error}") from None


def _operation(parameters: dict[str, Any], method: str) -> OperationRequest:
    for name, (kind, called) in _KINDS.items():
        value = parameters.get(name)
        if value is not None and not isinstance(value, kind):
            raise RequestRefusedError(400, f"`{name}` must be {called}, if given.")
    asked = Asked(
        parameters.get("query"), parameters.get("documentId"), parameters.get("extensions") or {}
    )
    # urql and others send an empty operationName for "none".
    return OperationRequest(
        asked, parameters.get("variables"), parameters.get("operationName") or None, method
    )
