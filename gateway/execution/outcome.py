"""What became of one operation: what is sent to whoever asked, what may be kept, what is logged."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from gateway.access.budget.balance import Balance
from gateway.analytics.field_class import FieldClass
from gateway.errors import (
    CallerError,
    DeadlineExceededError,
    OverloadedError,
    PersistedQueryNotFoundError,
    PersistedQueryNotSupportedError,
    RateLimitedError,
    StoreError,
    UnauthenticatedError,
)
from gateway.execution.error_format import INTERNAL, MAX_SHOWN, ShownError, and_more, plain
from graphql_schema.error_codes import ErrorCode

CHALLENGE = b'Bearer realm="payment-analytics"'
CLIENT_GONE = 499
"""A status for the log only: the client hung up before the answer."""


@dataclass(frozen=True, slots=True)
class Work:
    """What an execution took of the store, for the log: queries and seconds."""

    store_queries: int = 0
    store_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """One operation's outcome, the same for all who asked it together.

    `content` is the response without errors, as bytes; with errors there is `data` instead, as each
    asker's errors carry the asker's own request id. `extensions` are what it says about itself;
    `refusal` why a credential was refused, for the log; `balance` the budget that was too small.
    `turned_away`: too much was asked of the store.
    `true_for_s`: how long after it was asked the question means the same. `age_s`: how long before that
    the oldest of what it is made of was asked for.
    """

    content: bytes | None = None
    errors: tuple[dict[str, Any], ...] = ()
    data: dict[str, Any] | None = None
    has_data: bool = False
    extensions: dict[str, Any] = field(default_factory=dict)
    status: int = 200
    headers: tuple[tuple[bytes, bytes], ...] = ()
    codes: tuple[str, ...] = ()
    causes: tuple[BaseException, ...] = ()
    work: Work | None = None
    field_class: FieldClass | None = None
    group: bytes = b""
    true_for_s: float = math.inf
    age_s: float = 0.0
    store_failed: bool = False
    turned_away: bool = False
    refusal: str | None = None
    balance: Balance | None = None

    @property
    def label(self) -> str:
        """For metrics: ok, partial (data and errors) or error."""
        if not self.codes:
            return "ok"
        return "partial" if self.data is not None else "error"

    def body(self, request_id: str) -> bytes:
        """The response's body for one asker, without extensions."""
        if self.content is not None:
            return self.content
        whole: dict[str, Any] = {"errors": [_asked_by(each, request_id) for each in self.errors]}
        if self.has_data:
            whole["data"] = self.data
        return encode(whole)


def refused(error: CallerError, *headers: tuple[bytes, bytes], status: int = 0) -> Outcome:
    """The outcome of an operation that is not executed."""
    balance = None
    if isinstance(error, RateLimitedError):
        balance = error.charge and Balance(*error.charge)
        headers = (*headers, (b"retry-after", b"%d" % error.retry_after_s))
    return Outcome(
        errors=(plain(error, error.code),),
        status=status or _status_of(error),
        headers=headers,
        codes=(error.code.name,),
        refusal=getattr(error, "reason", None),
        balance=balance,
    )


def unauthenticated(error: UnauthenticatedError) -> Outcome:
    """The outcome of a request of nobody knows whom."""
    sent = error.reason != "missing"
    challenge = CHALLENGE + b', error="invalid_token"' if sent else CHALLENGE
    return refused(error, (b"www-authenticate", challenge), status=401)


def overloaded(error: OverloadedError) -> Outcome:
    """The outcome of an operation that came at a bad time."""
    return Outcome(
        errors=(plain(error, error.code),),
        status=503,
        headers=((b"retry-after", b"%d" % error.retry_after_s),),
        codes=(error.code.name,),
        store_failed=True,
        turned_away=True,
    )


def failed(error: Exception) -> Outcome:
    """The outcome of a question that has no part that could be answered: the store failed, or the gateway itself."""
    if isinstance(error, StoreError):
        told, code = plain(error, error.code), error.code
        status = 504 if isinstance(error, DeadlineExceededError) else 503
    else:
        code, status = ErrorCode.INTERNAL_SERVER_ERROR, 500
        told = plain(INTERNAL, code)
    return Outcome(
        errors=(told,),
        status=status,
        codes=(code.name,),
        causes=(error,),
        store_failed=isinstance(error, StoreError),
    )


def outcome_of(error: Exception) -> Outcome:
    """The outcome of an operation that an error ended before anything was told."""
    match error:
        case UnauthenticatedError():
            return unauthenticated(error)
        case CallerError():
            return refused(error)
        case OverloadedError():
            return overloaded(error)
    return failed(error)


def of_errors(shown: Sequence[ShownError], **more: Any) -> Outcome:
    """An outcome with errors, of which only so many are shown."""
    bodies = [each.body for each in shown[:MAX_SHOWN]]
    if len(shown) > len(bodies):
        bodies.append(and_more(len(shown) - len(bodies), shown[-1].code))
    return Outcome(
        errors=tuple(bodies),
        codes=tuple(each.code.name for each in shown),
        causes=tuple(each.cause for each in shown if each.cause is not None),
        **more,
    )


def encode(body: dict[str, Any]) -> bytes:
    """A response as JSON."""
    try:
        return orjson.dumps(body)
    except TypeError:
        # An error may quote half a surrogate pair out of the document, which is not UTF-8.
        return json.dumps(body, separators=(",", ":")).encode()


def _status_of(error: CallerError) -> int:
    match error:
        case RateLimitedError():
            return 429
        case PersistedQueryNotFoundError() | PersistedQueryNotSupportedError():
            return 200
    return 400


def _asked_by(error: dict[str, Any], request_id: str) -> dict[str, Any]:
    return {**error, "extensions": {**error["extensions"], "requestId": request_id}}
