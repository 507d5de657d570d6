"""Spans by OpenTelemetry, begun and ended so that tracing never fails a request; knows the SDK only to switch it on.

A span is told by its attributes alone. Neither an exception's message nor its stack goes into one:
they may quote a statement, and a statement names accounts.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from threading import Thread
from typing import TYPE_CHECKING, TypeVar

from opentelemetry import context as contexts
from opentelemetry.context import Context
from opentelemetry.trace import (
    INVALID_SPAN,
    Span,
    SpanContext,
    SpanKind,
    StatusCode,
    Tracer,
    format_span_id,
    format_trace_id,
    get_current_span,
    set_span_in_context,
)
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from gateway.errors import GatewayError
from gateway.process import logs

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

Value = str | int
Got = TypeVar("Got")

SERVICE = "payment-analytics-gateway"
"""The service's name, unless the environment gives another."""

FLUSH_S = 5.0
"""How long the end of a process waits at most for spans to be sent."""

_W3C = TraceContextTextMapPropagator()
_HEADERS = {b"traceparent": "traceparent", b"tracestate": "tracestate"}


class TracingMissingError(Exception):
    """Tracing is on and cannot be; the message says what to install."""


def exporting() -> TracerProvider:
    """A provider that exports by OTLP over HTTP, set up by the standard OTEL_* variables.

    Raises `TracingMissingError` if the packages for it are not installed.
    """
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import SERVICE_NAME, Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        raise TracingMissingError(
            f"GATEWAY_TRACES is on, and {error.name} is not installed: install the extra `tracing` "
            "(pip install 'payment-analytics-gateway[tracing]'), or set GATEWAY_TRACES=false"
        ) from None
    # Else every malformed header that a caller sends is a warning of ours.
    logging.getLogger("opentelemetry.trace").setLevel(logging.ERROR)
    resource = Resource.create()
    if str(resource.attributes[SERVICE_NAME]).startswith("unknown_service"):
        resource = resource.merge(Resource({SERVICE_NAME: SERVICE}))
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider


async def end(provider: TracerProvider, within_s: float = FLUSH_S) -> None:
    """Send what is left, and stop; a collector that does not answer is not waited for long."""
    ending = Thread(target=lambda: _quietly(provider.shutdown, None), daemon=True)
    ending.start()
    await asyncio.to_thread(ending.join, within_s)


@contextmanager
def span(
    tracer: Tracer,
    name: str,
    kind: SpanKind,
    attributes: Mapping[str, Value],
    parent: Context | None = None,
) -> Iterator[Span]:
    """A span around what is done inside; of the current one, if no other parent is given."""

    def begin() -> Span:
        return tracer.start_span(name, parent, kind, attributes)

    none: Span = INVALID_SPAN
    begun = _quietly(begin, none)
    token = contexts.attach(set_span_in_context(begun, parent))
    try:
        yield begun
    except BaseException as error:
        code = error.code.name if isinstance(error, GatewayError) else type(error).__name__
        begun.set_attribute("error.type", code)
        begun.set_status(StatusCode.ERROR)
        raise
    finally:
        contexts.detach(token)
        _quietly(begun.end, None)


def parent_of(headers: Iterable[tuple[bytes, bytes]]) -> Context:
    """The caller's span, by W3C Trace Context; what is malformed, or there twice, is ignored."""
    given: dict[str, list[str]] = {}
    for name, value in headers:
        if name in _HEADERS:
            given.setdefault(_HEADERS[name], []).append(value.decode("latin-1"))
    if len(given.get("traceparent", ())) != 1:
        return Context()
    return _quietly(lambda: _W3C.extract(given, Context()), Context())


def here() -> SpanContext:
    """The current span, to be pointed to; not a valid one if nothing is traced."""
    return get_current_span().get_span_context()


def trace_id() -> str | None:
    """The current trace's id in hex, if there is one."""
    return format_trace_id(here().trace_id) if here().is_valid else None


def correlation_id() -> str | None:
    """The current trace's and span's ids, for a store that takes a name for what it is asked."""
    current = here()
    if not current.is_valid:
        return None
    return f"{format_trace_id(current.trace_id)}-{format_span_id(current.span_id)}"


def note(name: str, value: Value) -> None:
    """One more attribute of the current span."""
    get_current_span().set_attribute(name, value)


def link(other: SpanContext) -> None:
    """Point from the current span to another one that did its work."""
    get_current_span().add_link(other)


def _quietly(call: Callable[[], Got], instead: Got) -> Got:
    """What the call gives; tracing is never worth a request."""
    try:
        return call()
    except Exception as error:  # noqa: BLE001 - whatever a sampler, processor or exporter raises
        logs.logger().warning("tracing_failed", cause=repr(error)[: logs.MAX_CAUSE])
        return instead
