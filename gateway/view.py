"""GraphQL over HTTP: one request in, one operation executed, one response and one log line out."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from strawberry.types.execution import ExecutionResult, PreExecutionError

from gateway import error_format, http_request, logs, negotiation
from gateway.admission import Admission, Asker
from gateway.auth.authenticator import Authenticator
from gateway.budget.balance import Balance
from gateway.caller import SCOPE_KEY, Caller
from gateway.clock import Monotonic
from gateway.context import OperationContext
from gateway.documents import Documents, Found
from gateway.errors import (
    CallerError,
    OperationUnresolvedError,
    PersistedQueryNotFoundError,
    PersistedQueryNotSupportedError,
    RateLimitedError,
    UnauthenticatedError,
)
from gateway.http_request import OperationRequest, RequestRefusedError
from gateway.metrics import Metrics
from gateway.schema import GatewaySchema
from graphql_schema.error_codes import ErrorCode

CLIENT_GONE = 499
"""A status for the log only: the client hung up before the answer."""

_OPERATION_NAME = re.compile(r"^\s*(?:query|mutation|subscription)\s+([A-Za-z_]\w*)", re.MULTILINE)

MakeContext = Callable[[str, Caller], OperationContext]
"""A fresh context for a request id and its caller."""

VARY = "Accept, Authorization, X-API-Key"
CHALLENGE = 'Bearer realm="payment-analytics"'


@dataclass(slots=True)
class Outcome:
    """What became of one operation: its body, status, and what the log tells of it."""

    body: dict[str, Any]
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    codes: list[str] = field(default_factory=list)
    causes: list[BaseException] = field(default_factory=list)
    document: Found | None = None
    operation_name: str | None = None
    context: OperationContext | None = None
    refusal: str | None = None
    balance: Balance | None = None

    @property
    def label(self) -> str:
        """For metrics: ok, partial (data and errors) or error."""
        if not self.codes:
            return "ok"
        return "partial" if self.body.get("data") is not None else "error"


@dataclass(frozen=True)
class GraphQLView:
    """The ASGI endpoint of `/graphql`, browsers' pages aside."""

    door: Authenticator
    schema: GatewaySchema
    documents: Documents
    admission: Admission
    make_context: MakeContext
    metrics: Metrics
    monotonic: Monotonic
    max_body_bytes: int
    max_age_s: int

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        request = Request(scope, receive)
        response = await self.respond(request)
        await response(scope, receive, send)

    async def respond(self, request: Request) -> Response:
        """The response to one request, whatever happens."""
        started_s = self.monotonic()
        request_id = http_request.request_id_of(request)
        media_type = negotiation.choose(request.headers.get("accept"))
        outcome = await self._outcome(request, request_id, media_type)
        seconds = self.monotonic() - started_s
        self._record(outcome, request_id, seconds)
        return self._response(request, outcome, media_type or negotiation.JSON, request_id)

    async def _outcome(self, request: Request, request_id: str, media_type: str | None) -> Outcome:
        try:
            caller = await self.caller(request)
            _refuse_without(media_type)
            asked = await http_request.read(request, self.max_body_bytes)
            asker = Asker(caller, _address(request))
        except RequestRefusedError as error:
            body = {"errors": [error_format.plain(str(error), error.code, request_id)]}
            return Outcome(body, error.status, error.headers, [error.code.name])
        except UnauthenticatedError as error:
            return _unauthenticated(error, request_id)
        outcome = await _unless_gone(request, self._execute(asked, request_id, asker))
        if media_type == negotiation.JSON and outcome.status == 400 and asked.asked.query:
            # The legacy type has 200 for everything that a GraphQL processor answered.
            outcome.status = 200
        return outcome

    async def caller(self, request: Request) -> Caller:
        """Who asks; raises `UnauthenticatedError`."""
        known: Caller | None = request.scope.get(SCOPE_KEY)
        if known is None:
            headers = request.headers.raw
            known = self.door.authenticate_cached(headers)
            return known or await self.door.authenticate(headers)
        return known

    async def _execute(self, asked: OperationRequest, request_id: str, asker: Asker) -> Outcome:
        document: Found | None = None
        try:
            document = self.documents.find(asked.asked)
            if document is None or not document.text:
                raise OperationUnresolvedError("The request has no query.")
            outcome = await self._admitted(asked, document, request_id, asker)
        except CallerError as error:
            outcome = _refused(error, request_id)
        if document is not None:
            outcome.document = document
            outcome.operation_name = asked.operation_name or _name_in(document.text)
        return outcome

    async def _admitted(
        self, asked: OperationRequest, document: Found, request_id: str, asker: Asker
    ) -> Outcome:
        """The outcome of an operation, once its document, its cost and the budget allow it."""
        prepared = await self.admission.prepare(document.text, asker)
        if (
            asked.method == "GET"
            and prepared.document
            and not prepared.is_query(asked.operation_name)
        ):
            message = "Only queries can be asked by GET; send a POST."
            outcome = _refused(OperationUnresolvedError(message), request_id, 405)
            outcome.headers["Allow"] = "POST"
            return outcome
        if prepared.errors:
            return _outcome_of(PreExecutionError(None, list(prepared.errors)), None, request_id)
        cost = self.admission.cost(prepared, asked)
        balance = await self.admission.charge(asker, cost)
        self.documents.register(document)
        self.metrics.points.add("granted", cost)
        context = self.make_context(request_id, asker.caller)
        context.document = prepared.document
        try:
            result = await self.schema.execute(
                document.text,
                variable_values=asked.variables,
                context_value=context,
                operation_name=asked.operation_name,
            )
        finally:
            await context.analytics.store.close()
        outcome = _outcome_of(result, context, request_id)
        outcome.context, outcome.balance = context, balance
        return outcome

    def _record(self, outcome: Outcome, request_id: str, seconds: float) -> None:
        self.metrics.operations.add(outcome.label)
        self.metrics.operation_seconds.observe(outcome.label, seconds)
        for code in outcome.codes:
            self.metrics.errors.add(code)
        log = logs.logger().bind(request_id=request_id)
        for cause in {str(each): each for each in outcome.causes}.values():
            told_cause = str(cause)[: logs.MAX_CAUSE]
            log.error("store_or_gateway_error", cause=told_cause, exc_info=_unexpected(cause))
        told: dict[str, Any] = {
            "status": outcome.status,
            "outcome": outcome.label,
            "milliseconds": round(seconds * 1000, 2),
        }
        if outcome.operation_name:
            told["operation"] = outcome.operation_name[:100]
        if outcome.document is not None:
            told["document"] = logs.digest(outcome.document.text)
            if self.documents.judges:
                told["trusted"] = outcome.document.trusted
        if outcome.balance is not None:
            told["cost"] = outcome.balance.requested
        if outcome.codes:
            told["codes"] = sorted(set(outcome.codes))
        if outcome.refusal is not None:
            told["refusal"] = outcome.refusal
        if outcome.context is not None:
            told["caller"] = outcome.context.analytics.caller.subject
            told["accounts"] = sorted(outcome.context.accounts)[: logs.MAX_ACCOUNTS]
            told["store_queries"] = outcome.context.analytics.store.queries
            told["store_milliseconds"] = round(outcome.context.analytics.store.seconds * 1000, 2)
        log.info("operation", **told)

    def _response(
        self, request: Request, outcome: Outcome, media_type: str, request_id: str
    ) -> Response:
        content = _encode(outcome.body)
        told = _with_cost(outcome, content)
        headers = {"Vary": VARY, "X-Request-Id": request_id, **outcome.headers}
        if request.method == "GET" and outcome.status == 200 and not outcome.codes:
            etag = f'"{hashlib.sha256(content + media_type.encode()).hexdigest()[:32]}"'
            headers |= {"ETag": etag, "Cache-Control": f"private, max-age={self.max_age_s}"}
            if _matches(request.headers.get("if-none-match"), etag):
                return Response(status_code=304, headers=headers)
        else:
            headers["Cache-Control"] = "no-store"
        headers["Content-Type"] = f"{media_type}; charset=utf-8"
        return Response(told, outcome.status, headers)


async def _unless_gone(request: Request, execution: Coroutine[Any, Any, Outcome]) -> Outcome:
    """The execution's outcome; it is stopped if the client hangs up, as nobody would read it."""
    working = asyncio.ensure_future(execution)
    gone = asyncio.ensure_future(_gone(request))
    try:
        await asyncio.wait({working, gone}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        gone.cancel()
        if not working.done():
            working.cancel()
            await asyncio.wait({working})
    if working.cancelled():
        return Outcome({}, CLIENT_GONE, codes=["CLIENT_GONE"])
    return working.result()


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _name_in(document: str) -> str | None:
    named = _OPERATION_NAME.search(document)
    return named.group(1) if named else None


def _refuse_without(media_type: str | None) -> None:
    if media_type is None:
        raise RequestRefusedError(406, f"Answers come as {' or '.join(negotiation.OFFERED)}.")


def _refused(error: CallerError, request_id: str, status: int | None = None) -> Outcome:
    body: dict[str, Any] = {"errors": [error_format.plain(error, error.code, request_id)]}
    headers: dict[str, str] = {}
    if isinstance(error, RateLimitedError):
        headers["Retry-After"] = str(error.balance.retry_after_s)
    outcome = Outcome(body, status or _status_of(error), headers, codes=[error.code.name])
    outcome.balance = error.balance if isinstance(error, RateLimitedError) else None
    return outcome


def _status_of(error: CallerError) -> int:
    match error:
        case RateLimitedError():
            return 429
        case PersistedQueryNotFoundError() | PersistedQueryNotSupportedError():
            return 200
    return 400


def _unauthenticated(error: UnauthenticatedError, request_id: str) -> Outcome:
    sent = error.reason != "missing"
    challenge = f'{CHALLENGE}, error="invalid_token"' if sent else CHALLENGE
    outcome = _refused(error, request_id, 401)
    outcome.headers["WWW-Authenticate"], outcome.refusal = challenge, error.reason
    return outcome


def _outcome_of(
    result: ExecutionResult, context: OperationContext | None, request_id: str
) -> Outcome:
    found = result.errors or []
    errors = [error_format.shown(each, result, request_id) for each in found]
    bodies = [each.body for each in errors[: error_format.MAX_SHOWN]]
    if len(errors) > len(bodies):
        more = len(errors) - len(bodies)
        bodies.append(error_format.and_more(more, errors[-1].code, request_id))
    body: dict[str, Any] = {"errors": bodies} if bodies else {}
    # Without a path no field has run: a request error, whose response has no data at all.
    is_request_error = result.data is None and all(error.path is None for error in found)
    if not is_request_error:
        body["data"] = result.data
    extensions = context.extensions() if context is not None else {}
    if extensions:
        body["extensions"] = extensions
    return Outcome(
        body,
        400 if is_request_error else 200,
        codes=[each.code.name for each in errors],
        causes=[each.cause for each in errors if each.cause is not None],
    )


def _address(request: Request) -> str:
    return request.client.host if request.client is not None else ""


def _unexpected(cause: BaseException) -> BaseException | None:
    return (
        cause
        if getattr(cause, "code", ErrorCode.INTERNAL_SERVER_ERROR)
        is (ErrorCode.INTERNAL_SERVER_ERROR)
        else None
    )


def _matches(if_none_match: str | None, etag: str) -> bool:
    tags = (tag.strip().removeprefix("W/") for tag in (if_none_match or "").split(","))
    return any(tag in (etag, "*") for tag in tags)


def _with_cost(outcome: Outcome, content: bytes) -> bytes:
    """The body with `extensions.cost`, which is the request's own: no part of ETags or caches."""
    if outcome.balance is None:
        return content
    cost = {"cost": outcome.balance.extensions()}
    if "extensions" in outcome.body:
        return _encode(outcome.body | {"extensions": outcome.body["extensions"] | cost})
    return content[:-1] + b',"extensions":' + orjson.dumps(cost) + b"}"


def _encode(body: dict[str, Any]) -> bytes:
    try:
        return orjson.dumps(body)
    except TypeError:
        # An error may quote half a surrogate pair out of the document, which is not UTF-8.
        return json.dumps(body, separators=(",", ":")).encode()
