"""One server span an operation, by OpenTelemetry's conventions for GraphQL and HTTP; the document and its variables stay out."""

from __future__ import annotations

from dataclasses import dataclass

from opentelemetry.trace import Span, SpanKind, StatusCode, Tracer, get_current_span
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.execution.outcome import Outcome
from gateway.http.reading import About
from gateway.process import traces
from gateway.process.traces import Value
from gateway.response_cache.cache import Status

UNKNOWN = "GraphQL Operation"
"""The conventions' name for a span whose operation is not known."""

_METHODS = frozenset(
    {"CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"}
)


@dataclass(frozen=True, slots=True)
class TracedOperations:
    """Stands before GraphQL over HTTP and exports where tracing is on; the caller's trace goes on in it."""

    app: ASGIApp
    tracer: Tracer
    name: str = UNKNOWN

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request inside its span."""
        parent = traces.parent_of(scope["headers"])
        with traces.span(self.tracer, self.name, SpanKind.SERVER, _of_request(scope), parent):
            await self.app(scope, receive, send)


def tell(
    about: About | None, how: Status | None, status: int, outcome: Outcome | None = None
) -> str | None:
    """Tell the current span what became of its operation; the trace's id, for the log.

    `how`: how a valid query was answered. Without it nothing of the request was proven to be GraphQL,
    so its words are not told. Only what is our or the store's fault makes the span an error.
    """
    span = get_current_span()
    if not span.is_recording():
        return traces.trace_id()
    told: dict[str, Value] = {"http.response.status_code": status}
    if about is not None:
        told["gateway.document"] = about.document
    if how is not None and about is not None:
        told |= {"graphql.operation.type": "query", "gateway.cache.status": how.value}
        _name(span, about, told)
    if outcome is not None and outcome.codes:
        told["error.type"] = outcome.codes[0]
        if outcome.causes or status >= 500:
            span.set_status(StatusCode.ERROR)
    span.set_attributes(told)
    return traces.trace_id()


def _name(span: Span, about: About, told: dict[str, Value]) -> None:
    """The span's name; clients name operations as they like, so only a trusted document's is a part of it."""
    if about.operation:
        told["graphql.operation.name"] = about.operation
    span.update_name(f"query {about.operation}" if about.trusted and about.operation else "query")


def _of_request(scope: Scope) -> dict[str, Value]:
    method: str = scope["method"]
    return {
        "http.request.method": method if method in _METHODS else "_OTHER",
        "http.route": scope["path"],
        "url.path": scope["path"],
        "url.scheme": scope["scheme"],
        "network.protocol.version": scope["http_version"],
    }
