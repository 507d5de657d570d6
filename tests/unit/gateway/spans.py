"""Spans kept for the test that asks for them, and a gateway that leaves them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from io import StringIO
from typing import Any

import httpx
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import Sampler
from opentelemetry.trace import SpanKind

from gateway.analytics.model import Entry
from gateway.app import create_app
from gateway.process import logs
from gateway.settings import Settings
from tests.store_cases import transfer
from tests.unit.gateway.fakes import NOW_MS, ReferenceStore

CALLER_TRACE = "0af7651916cd43dd8448eb211c80319c"
CALLER_SPAN = "b7ad6b7169203331"
CALLED = f"00-{CALLER_TRACE}-{CALLER_SPAN}-01"
CALLED_UNSAMPLED = f"00-{CALLER_TRACE}-{CALLER_SPAN}-00"
TOP = """query TopSenders($id: ID!) { account(id: $id) {
  topCounterparties(window: {last: {count: 1, unit: DAY}}, first: 1) { rows { accountId } } } }"""


def entries() -> list[Entry]:
    """Two transfers to alice."""
    transfers = (
        transfer("alice", sender, str(number), Decimal(number), NOW_MS - 3_600_000)
        for number, sender in enumerate(("bob", "carol"), start=1)
    )
    return [entry for pair in transfers for entry in pair]


class Spans:
    """A provider whose spans are kept as they end."""

    def __init__(self, sampler: Sampler | None = None) -> None:
        self._kept = InMemorySpanExporter()
        self.provider = TracerProvider(sampler, shutdown_on_exit=False)
        self.provider.add_span_processor(SimpleSpanProcessor(self._kept))

    @property
    def all(self) -> Sequence[ReadableSpan]:
        """Every span that has ended."""
        return self._kept.get_finished_spans()

    def of(self, kind: SpanKind) -> list[ReadableSpan]:
        """Those of a kind, in the order in which they ended."""
        return [span for span in self.all if span.kind is kind]


@dataclass
class Traced:
    """A gateway over the reference store, whose clock the test moves, with the spans it leaves."""

    spans: Spans = field(default_factory=Spans)
    store: ReferenceStore = field(default_factory=lambda: ReferenceStore(entries()))
    settings: Settings = field(default_factory=Settings)
    on: bool = True
    now_s: float = 1_000.0
    log: StringIO = field(default_factory=StringIO)

    def __post_init__(self) -> None:
        app = create_app(
            self.settings,
            self.store,
            epoch_ms=lambda: NOW_MS,
            monotonic=lambda: self.now_s,
            provider=self.spans.provider if self.on else None,
        )
        logs.configure("info", self.log)
        self.client = httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://localhost"
        )

    async def ask(
        self, query: str = TOP, headers: dict[str, str] | None = None, **body: Any
    ) -> httpx.Response:
        """The response to a question, about alice unless said otherwise."""
        given = {"query": query, "variables": {"id": "alice"}} | body
        return await self.client.post("/graphql", json=given, headers=headers)

    def lines(self) -> list[dict[str, Any]]:
        """What was logged so far."""
        return [json.loads(line) for line in self.log.getvalue().splitlines()]
