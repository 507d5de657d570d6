"""Spans of a real gateway process at a collector: set up by the standard variables, all there when it ends."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import httpx
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from gateway.process.traces import FLUSH_S
from tests.integration.gateway_process import free_port, running

QUESTION = "{ limits { maxFirst } pipeline { state } }"
NOT_BY_ITSELF = {"OTEL_BSP_SCHEDULE_DELAY": "600000"}


@dataclass
class Collector:
    """What was exported to it."""

    url: str
    sent: list[ExportTraceServiceRequest] = field(default_factory=list)

    def services(self) -> set[tuple[str, str]]:
        """Who sent spans: each resource's attributes."""
        return {
            (each.key, each.value.string_value)
            for request in self.sent
            for resource in request.resource_spans
            for each in resource.resource.attributes
        }

    def names(self) -> list[str]:
        """The spans' names."""
        return [
            span.name
            for request in self.sent
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]


@contextmanager
def collecting() -> Iterator[Collector]:
    """An OTLP/HTTP collector on loopback."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            assert self.path == "/v1/traces"
            collector.sent.append(ExportTraceServiceRequest.FromString(body))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        collector = Collector(f"http://127.0.0.1:{server.server_port}")
        Thread(target=server.serve_forever, daemon=True).start()
        yield collector
        server.shutdown()


def ask(url: str) -> httpx.Response:
    return httpx.post(f"{url}/graphql", json={"query": QUESTION}, trust_env=False)


def test_spans_are_exported_as_the_standard_variables_say_the_last_ones_when_it_ends() -> None:
    with collecting() as collector:
        given = {
            "GATEWAY_TRACES": "true",
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
            "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=test",
        } | NOT_BY_ITSELF
        with running(**given) as gateway:
            assert "errors" not in ask(gateway.url).json()
            assert not collector.sent
        assert sorted(collector.names()) == ["ProgressPlan", "query"]
        assert collector.services() >= {
            ("service.name", "payment-analytics-gateway"),
            ("deployment.environment.name", "test"),
        }


def test_name_and_sampler_are_the_environments() -> None:
    with collecting() as collector:
        given = {
            "GATEWAY_TRACES": "true",
            "GATEWAY_WORKERS": "2",
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
            "OTEL_SERVICE_NAME": "mine",
            "OTEL_TRACES_SAMPLER": "parentbased_always_off",
        } | NOT_BY_ITSELF
        with running(**given) as gateway:
            ask(gateway.url)
            sampled = {"traceparent": f"00-{'a' * 32}-{'b' * 16}-01"}
            content = {"query": "{ limits { maxFirst } }"}
            httpx.post(f"{gateway.url}/graphql", json=content, headers=sampled, trust_env=False)
        assert collector.names() == ["query"]
        assert ("service.name", "mine") in collector.services()


def test_a_collector_that_is_down_costs_no_request_and_keeps_no_process() -> None:
    nobody = f"http://127.0.0.1:{free_port()}"
    given = {
        "GATEWAY_TRACES": "true",
        "OTEL_EXPORTER_OTLP_ENDPOINT": nobody,
        "OTEL_BSP_MAX_QUEUE_SIZE": "8",
        "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "4",
        "OTEL_BSP_SCHEDULE_DELAY": "10",
    }
    with running(**given) as gateway:
        seconds = []
        for _ in range(50):
            started_s = time.monotonic()
            assert "errors" not in ask(gateway.url).json()
            seconds.append(time.monotonic() - started_s)
        ending_s = time.monotonic()
    assert sorted(seconds)[25] < 0.5
    assert time.monotonic() - ending_s < FLUSH_S + 10
