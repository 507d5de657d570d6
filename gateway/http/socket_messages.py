"""The messages of `graphql-transport-ws`, read and written, and the codes that end a connection.

The protocol: https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

import orjson

from gateway.http import exact_json
from gateway.http.exact_json import JsonRefusedError

SUBPROTOCOL = "graphql-transport-ws"
MAX_ID_CHARACTERS = 256
_LEVELS = exact_json.MAX_LEVELS + 2
"""A request's own, in a message, in its payload."""


class Kind(Enum):
    """What a client says."""

    INIT = "connection_init"
    PING = "ping"
    PONG = "pong"
    SUBSCRIBE = "subscribe"
    COMPLETE = "complete"


@dataclass(frozen=True, slots=True)
class Closing:
    """How a connection ends."""

    code: int
    reason: str


MALFORMED = 4400
NOT_BEGUN = Closing(4401, "Unauthorized")
"""Something was asked before the connection was acknowledged."""
UNKNOWN = Closing(4401, "UNAUTHENTICATED: the credential is no longer valid")
"""It was when the connection was acknowledged: nothing can be asked any more."""
REFUSED = 4403
WRONG_PROTOCOL = Closing(4406, "Subprotocol not acceptable: graphql-transport-ws is spoken here")
TOO_LATE = Closing(4408, "Connection initialisation timeout")
KNOWN_ID = 4409
BEGUN_TWICE = Closing(4429, "Too many initialisation requests")
COME_BACK = Closing(1012, "Service restart: connect again")
MAX_REASON_BYTES = 123
"""A closing frame has no room for more."""


class SocketEndedError(Exception):
    """The connection cannot go on."""

    def __init__(self, closing: Closing) -> None:
        super().__init__(closing.reason)
        self.closing = closing


@dataclass(frozen=True, slots=True)
class Message:
    """What a client said; `id` of `subscribe` and `complete`."""

    kind: Kind
    id: str
    payload: Mapping[str, Any] | None


def read(text: str | None) -> Message:
    """A client's message; raises `SocketEndedError` for what is none."""
    if text is None:
        raise _malformed("Messages are text")
    try:
        said = exact_json.loads(text, _LEVELS)
    except JsonRefusedError as error:
        raise _malformed(f"The message {error}") from None
    if not isinstance(said, dict):
        raise _malformed("A message is an object")
    try:
        kind = Kind(said.get("type"))
    except ValueError:
        raise _malformed("The message has no `type` that is known here") from None
    payload = said.get("payload")
    if payload is not None and not isinstance(payload, dict):
        raise _malformed("`payload` must be an object, if given")
    if kind is Kind.SUBSCRIBE and payload is None:
        raise _malformed("`subscribe` needs a `payload`")
    return Message(kind, _id(said) if kind in (Kind.SUBSCRIBE, Kind.COMPLETE) else "", payload)


def request_body(payload: Mapping[str, Any]) -> bytes:
    """A `subscribe` as the body of the request that it would be over HTTP: the same values, exactly."""
    return json.dumps(payload, ensure_ascii=False).encode()


def credentials(payload: Mapping[str, Any] | None) -> list[tuple[bytes, bytes]]:
    """The headers that name who asks, as `connection_init` brings them: at its top, or below `headers`.

    Raises `SocketEndedError` for one that is no header.
    """
    given = payload or {}
    below = given.get("headers")
    said = {**given, **(below if isinstance(below, dict) else {})}
    found = []
    for name, value in said.items():
        if name.lower() in ("authorization", "x-api-key"):
            if not isinstance(value, str) or not (value.isascii() and value.isprintable()):
                raise SocketEndedError(
                    Closing(REFUSED, f"`{name.lower()}` must be a header's text")
                )
            found.append((name.lower().encode(), value.encode()))
    return found


def acknowledgement() -> str:
    """The answer to `connection_init`."""
    return '{"type":"connection_ack"}'


def ping() -> str:
    """What says nothing but that somebody is there."""
    return '{"type":"ping"}'


def pong(payload: Mapping[str, Any] | None) -> str:
    """The answer to a ping, with what it brought."""
    return json.dumps({"type": "pong"} | ({} if payload is None else {"payload": payload}))


def following(operation_id: str, answer: bytes) -> str:
    """One more answer of an operation."""
    return f'{{"id":{json.dumps(operation_id)},"type":"next","payload":{answer.decode()}}}'


def with_event_id(answer: bytes, event_id: str) -> bytes:
    """A snapshot that says by which id a later subscription goes on after it; it has `extensions`, last."""
    return b'%s,"eventId":"%s"}}' % (answer[:-2], event_id.encode())


def complete(operation_id: str) -> str:
    """The end of an operation."""
    return json.dumps({"id": operation_id, "type": "complete"})


def failure(operation_id: str, errors: Any) -> str:
    """The end of an operation that was not executed."""
    told = {"id": operation_id, "type": "error", "payload": errors}
    return orjson.dumps(told).decode()


def cut_to_fit(reason: str) -> str:
    """A reason as long as a closing frame takes it."""
    return reason.encode()[:MAX_REASON_BYTES].decode(errors="ignore")


def known_id(operation_id: str) -> Closing:
    """An id is that of an operation which goes on."""
    return Closing(KNOWN_ID, f"Subscriber for {operation_id} already exists")


def _id(said: Mapping[str, Any]) -> str:
    given = said.get("id")
    if not isinstance(given, str) or not 0 < len(given) <= MAX_ID_CHARACTERS:
        raise _malformed(f"`id` must be text of 1 to {MAX_ID_CHARACTERS} characters")
    return given


def _malformed(reason: str) -> SocketEndedError:
    return SocketEndedError(Closing(MALFORMED, reason))
