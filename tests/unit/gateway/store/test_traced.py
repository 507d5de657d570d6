"""One client span a store query: what it tells, and whose it is where operations share it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanKind, StatusCode, format_span_id, format_trace_id

from gateway.settings import Settings
from gateway.store.pinot.broker_session import BrokerReply
from gateway.store.pinot.store import PinotStore
from gateway.store.port import Store
from gateway.store.traced import TracedStore
from tests.unit.gateway.fakes import AS_OF_MS, FakeBroker, FakeSession, broker_answer
from tests.unit.gateway.spans import (
    Spans,
)
from tests.unit.gateway.store.pinot.opened import TOTALS, TOTALS_ROW, TOTALS_TYPES

pytestmark = pytest.mark.anyio


@dataclass
class Correlated(FakeSession):
    """Connections that keep what each statement is called."""

    names: list[str] = field(default_factory=list)

    async def post(
        self, _url: str, *, json: Mapping[str, str], headers: Mapping[str, str], timeout_s: float
    ) -> BrokerReply:
        options = dict(each.split("=") for each in json["queryOptions"].split(";"))
        if "clientQueryId" in options:
            assert headers["X-Correlation-Id"] == options["clientQueryId"]
            self.names.append(options["clientQueryId"])
        return await super().post(_url, json=json, headers=headers, timeout_s=timeout_s)


async def asked(store: Store, spans: Spans) -> ReadableSpan:
    """The span of a question that is asked inside an operation."""
    tracer = spans.provider.get_tracer("test")
    with tracer.start_as_current_span("operation"):
        await TracedStore(store, tracer, "pinot").fetch(TOTALS, 5.0)
    (query,) = spans.of(SpanKind.CLIENT)
    return query


async def pinot(broker: FakeBroker) -> tuple[PinotStore, Correlated]:
    session = Correlated(broker.session().reply)
    store = PinotStore(Settings(), session=session)
    await store.open()
    return store, session


async def test_a_store_query_tells_its_plan_its_rows_and_their_age() -> None:
    broker = FakeBroker(lambda _: broker_answer([TOTALS_ROW], TOTALS_TYPES))
    store, _ = await pinot(broker)
    query = await asked(store, Spans())
    assert query.name == "TotalsPlan"
    assert dict(query.attributes or {}) == {
        "db.system.name": "pinot",
        "db.operation.name": "TotalsPlan",
        "db.response.returned_rows": 1,
        "gateway.as_of_ms": AS_OF_MS,
    }


async def test_a_store_query_that_was_asked_again_says_so() -> None:
    complete = broker_answer([TOTALS_ROW], TOTALS_TYPES)
    answers = iter([complete | {"numServersResponded": 0}, complete])
    store, _ = await pinot(FakeBroker(lambda _: next(answers)))
    query = await asked(store, Spans())
    assert (query.attributes or {})["gateway.store.retries"] == 1
    assert query.status.status_code is StatusCode.UNSET


async def test_every_statement_has_a_name_of_its_own_out_of_trace_and_span() -> None:
    broker = FakeBroker(lambda _: broker_answer([TOTALS_ROW], TOTALS_TYPES))
    store, session = await pinot(broker)
    query = await asked(store, Spans())
    context = query.get_span_context()
    assert context is not None
    called = f"{format_trace_id(context.trace_id)}-{format_span_id(context.span_id)}"
    assert session.names == [f"{called}-0", f"{called}-1"]  # progress, totals


async def test_a_statement_outside_of_any_trace_has_no_name_and_no_span() -> None:
    broker = FakeBroker(lambda _: broker_answer([TOTALS_ROW], TOTALS_TYPES))
    store, session = await pinot(broker)
    spans = Spans()
    await TracedStore(store, spans.provider.get_tracer("test"), "pinot").fetch(TOTALS, 5.0)
    assert (session.names, list(spans.all)) == ([], [])
    assert len(broker.statements) == 1
