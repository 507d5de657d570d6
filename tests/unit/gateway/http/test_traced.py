"""One server span an operation: whose it is, what it tells and what it must not tell."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import SpanKind, StatusCode, format_span_id, format_trace_id

from gateway.errors import OverloadedError, StoreUnavailableError
from gateway.settings import Settings
from tests.unit.gateway.fakes import ReferenceStore
from tests.unit.gateway.served import HeldStore, settle
from tests.unit.gateway.spans import (
    CALLED,
    CALLED_UNSAMPLED,
    CALLER_SPAN,
    CALLER_TRACE,
    TOP,
    Spans,
    Traced,
    entries,
)

pytestmark = pytest.mark.anyio

SERVER, CLIENT = SpanKind.SERVER, SpanKind.CLIENT


def told(span: ReadableSpan) -> dict[str, object]:
    return dict(span.attributes or {})


async def test_an_operation_is_one_server_span_by_the_conventions_and_its_queries_are_below() -> (
    None
):
    gateway = Traced()
    await gateway.ask()
    (operation,), (query,) = gateway.spans.of(SERVER), gateway.spans.of(CLIENT)
    line = gateway.lines()[-1]
    assert operation.name == "query"
    assert told(operation) == {
        "http.request.method": "POST",
        "http.route": "/graphql",
        "url.path": "/graphql",
        "url.scheme": "http",
        "network.protocol.version": "1.1",
        "http.response.status_code": 200,
        "graphql.operation.type": "query",
        "graphql.operation.name": "TopSenders",
        "gateway.document": line["document"],
        "gateway.cache.status": "miss",
    }
    assert (operation.parent, operation.status.status_code) == (None, StatusCode.UNSET)
    assert query.parent == operation.context
    assert line["trace_id"] == format_trace_id(operation.context.trace_id)


async def test_an_export_is_one_span_with_its_pages_below() -> None:
    gateway = Traced(settings=Settings(export_page_rows=1, rows_max_bytes=0))
    asked = {"account": "alice", "start": "2025-11-01T00:00:00Z", "end": "2025-12-01T00:00:00Z"}
    answer = await gateway.client.get("/export/transactions", params=asked)
    assert len(answer.text.splitlines()) == 2
    (export,), pages = gateway.spans.of(SERVER), gateway.spans.of(CLIENT)
    assert export.name == told(export)["http.route"] == "/export/transactions"
    assert told(export)["http.response.status_code"] == 200
    assert [page.parent for page in pages] == [export.context] * 2
    assert "alice" not in str(told(export))
    assert {each["trace_id"] for each in gateway.lines() if each.get("status") == 200} == {
        format_trace_id(export.context.trace_id)
    }


async def test_a_hit_has_a_span_and_a_trace_id_in_its_line_too() -> None:
    gateway = Traced()
    await gateway.ask()
    await gateway.ask(headers={"traceparent": CALLED})
    _, hit = gateway.spans.of(SERVER)
    assert told(hit)["gateway.cache.status"] == "hit"
    assert len(gateway.spans.of(CLIENT)) == 1
    assert [line["cache"] for line in gateway.lines()] == ["miss", "hit"]
    assert gateway.lines()[-1]["trace_id"] == CALLER_TRACE


async def test_the_callers_trace_goes_on() -> None:
    gateway = Traced()
    await gateway.ask(headers={"traceparent": CALLED, "tracestate": "vendor=1,other=2"})
    (operation,) = gateway.spans.of(SERVER)
    assert operation.parent is not None
    assert operation.parent.is_remote
    assert format_trace_id(operation.context.trace_id) == CALLER_TRACE
    assert format_span_id(operation.parent.span_id) == CALLER_SPAN
    assert operation.context.trace_state.to_header() == "vendor=1,other=2"


@pytest.mark.parametrize(
    "malformed",
    [
        "",
        "nonsense",
        CALLED.upper(),
        CALLED + "-more",
        CALLED.replace("00-", "ff-", 1),
        f"00-{'0' * 32}-{CALLER_SPAN}-01",
        f"00-{CALLER_TRACE}-{'0' * 16}-01",
        f"{CALLED}, {CALLED}",
        "00-" + "a" * 9_000,
    ],
)
async def test_a_malformed_traceparent_is_as_good_as_none(malformed: str) -> None:
    gateway = Traced()
    answer = await gateway.ask(headers={"traceparent": malformed})
    assert answer.status_code == 200
    assert [span.parent for span in gateway.spans.of(SERVER)] == [None]


async def test_a_traceparent_that_came_twice_is_as_good_as_none() -> None:
    gateway = Traced()
    twice = [("traceparent", CALLED), ("traceparent", CALLED)]
    await gateway.client.post("/graphql", json={"query": "{ __typename }"}, headers=twice)
    assert [span.parent for span in gateway.spans.of(SERVER)] == [None]


async def test_the_callers_sampling_is_honoured_before_our_own() -> None:
    never = Traced(Spans(ParentBased(TraceIdRatioBased(0.0))))
    await never.ask()
    assert not never.spans.all
    await never.ask(headers={"traceparent": CALLED}, query=TOP + " ")
    assert len(never.spans.all) == 2
    always = Traced(Spans(ParentBased(TraceIdRatioBased(1.0))))
    await always.ask(headers={"traceparent": CALLED_UNSAMPLED})
    assert not always.spans.all
    assert always.lines()[-1]["trace_id"] == CALLER_TRACE


async def test_only_a_trusted_documents_operation_is_in_the_spans_name(tmp_path: Path) -> None:
    manifest = tmp_path / "manifest.json"
    manifest.write_text(json.dumps({"top": TOP}))
    gateway = Traced(settings=Settings(trusted_documents_manifest=str(manifest)))
    await gateway.ask()
    await gateway.ask(query=TOP.replace("TopSenders", "Other"))
    assert [span.name for span in gateway.spans.of(SERVER)] == ["query TopSenders", "query"]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"query": "{"}, 200, "GRAPHQL_PARSE_FAILED"),
        ({"query": "query Q { nothing }"}, 200, "GRAPHQL_VALIDATION_FAILED"),
        ({"operationName": "alice"}, 200, "OPERATION_RESOLUTION_FAILURE"),
        ({"variables": 1}, 400, "BAD_USER_INPUT"),
    ],
)
async def test_what_was_no_operation_is_told_by_its_code_without_its_words(
    body: dict[str, object], status: int, code: str
) -> None:
    gateway = Traced()
    await gateway.ask(**body)  # type: ignore[arg-type]  # malformed on purpose
    (operation,) = gateway.spans.of(SERVER)
    assert operation.name == "GraphQL Operation"
    assert operation.status.status_code is StatusCode.UNSET  # the caller's fault
    attributes = told(operation)
    assert (attributes["http.response.status_code"], attributes["error.type"]) == (status, code)
    assert not [name for name in attributes if name.startswith("graphql.")]


async def test_what_is_not_the_callers_fault_makes_both_spans_errors() -> None:
    cause = "SELECT … WHERE account_id = 'alice'"
    gateway = Traced(store=ReferenceStore(error=StoreUnavailableError(cause)))
    await gateway.ask()
    for span in gateway.spans.all:
        assert told(span)["error.type"] == "BACKEND_UNAVAILABLE"
        assert span.status.status_code is StatusCode.ERROR
        assert span.status.description is None
        assert not span.events
    refusing = Traced(store=ReferenceStore(error=OverloadedError("full")))
    await refusing.ask()
    (operation,) = refusing.spans.of(SERVER)
    assert operation.status.status_code is StatusCode.ERROR
    assert told(operation)["http.response.status_code"] == 503


async def test_an_older_answer_that_stands_in_is_no_error() -> None:
    gateway = Traced()
    await gateway.ask()
    gateway.now_s += 20.0
    gateway.store.error = StoreUnavailableError("down")
    await gateway.ask()
    operation = gateway.spans.of(SERVER)[-1]
    assert told(operation)["gateway.cache.status"] == "rescued"
    assert operation.status.status_code is StatusCode.UNSET
    assert gateway.spans.of(CLIENT)[-1].status.status_code is StatusCode.ERROR


async def test_an_id_is_in_no_attribute_whichever_way_it_came() -> None:
    gateway = Traced(store=ReferenceStore(entries(), error=StoreUnavailableError("secret-id")))
    literal = TOP.replace("($id: ID!)", "").replace("$id", '"secret-id"')
    in_url = {"query": TOP, "variables": json.dumps({"id": "secret-id"})}
    await gateway.ask(query=literal)
    await gateway.ask(variables={"id": "secret-id"})
    await gateway.ask(operationName="secret-id", headers={"x-request-id": "secret-id"})
    await gateway.client.get("/graphql", params=in_url)
    await gateway.client.request("SECRET-ID", "/graphql?id=secret-id")
    assert len(gateway.spans.of(SERVER)) == 5
    for span in gateway.spans.all:
        assert "secret-id" not in (span.to_json() or "").lower()


async def test_who_waits_for_another_ones_answer_points_to_the_span_that_makes_it() -> None:
    store = HeldStore(entries())
    store.may_answer = asyncio.Event()
    gateway = Traced(store=store)
    asking = [asyncio.ensure_future(gateway.ask()) for _ in range(2)]
    await settle()
    store.may_answer.set()
    await asyncio.gather(*asking)
    (query,) = gateway.spans.of(CLIENT)
    by_cache = {told(each)["gateway.cache.status"]: each for each in gateway.spans.of(SERVER)}
    made, waited = by_cache["miss"], by_cache["coalesced"]
    assert query.parent == made.context
    assert [link.context for link in waited.links] == [made.context]
    assert not made.links


async def test_where_tracing_is_off_a_traceparent_leaves_nothing() -> None:
    gateway = Traced(on=False)
    await gateway.ask(headers={"traceparent": CALLED})
    assert not gateway.spans.all
    assert "trace_id" not in gateway.lines()[-1]


class Broken(SpanProcessor):
    """Raises wherever it is called."""

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        raise RuntimeError("broken")

    def on_end(self, span: ReadableSpan) -> None:
        raise RuntimeError("broken")

    def shutdown(self) -> None:
        raise RuntimeError("broken")


async def test_tracing_that_fails_fails_no_request() -> None:
    spans = Spans()
    spans.provider.add_span_processor(Broken())
    gateway = Traced(spans)
    answer = await gateway.ask()
    assert answer.json()["data"]["account"]
    assert {line["cause"] for line in gateway.lines() if line["event"] == "tracing_failed"} == {
        "RuntimeError('broken')"
    }


async def test_no_probe_leaves_a_span() -> None:
    gateway = Traced()
    for path in ("/healthz", "/readyz", "/metrics", "/schema.graphql"):
        assert (await gateway.client.get(path)).status_code == 200
    assert not gateway.spans.all
