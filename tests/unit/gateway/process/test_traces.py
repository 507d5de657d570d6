"""Where spans belong, and that switching on, failing and ending do not stand in anyone's way."""

from __future__ import annotations

import sys
import threading
import time

import pytest
from opentelemetry.sdk.trace import SpanProcessor
from opentelemetry.trace import SpanKind, StatusCode

from gateway.__main__ import main
from gateway.errors import PartialAnswerError
from gateway.process import traces
from tests.unit.gateway.spans import Spans

INTERNAL = SpanKind.INTERNAL


@pytest.mark.parametrize(
    ("error", "kind"),
    [(PartialAnswerError("1 of 2"), "PARTIAL_RESULT"), (ValueError("alice"), "ValueError")],
)
def test_an_exception_passes_through_its_span_and_is_told_by_its_kind_alone(
    error: Exception, kind: str
) -> None:
    spans = Spans()
    with (
        pytest.raises(type(error)),
        traces.span(spans.provider.get_tracer("test"), "failing", INTERNAL, {}),
    ):
        raise error
    (failing,) = spans.all
    assert dict(failing.attributes or {}) == {"error.type": kind}
    assert (failing.status.status_code, failing.status.description) == (StatusCode.ERROR, None)
    assert not failing.events


class Stuck(SpanProcessor):
    """Does not come to its end until the test lets it."""

    def __init__(self) -> None:
        self.may_end = threading.Event()

    def shutdown(self) -> None:
        self.may_end.wait()


@pytest.mark.anyio
async def test_the_end_does_not_wait_long_for_spans_that_nobody_takes() -> None:
    spans, stuck = Spans(), Stuck()
    spans.provider.add_span_processor(stuck)
    started_s = time.monotonic()
    await traces.end(spans.provider, within_s=0.05)
    assert time.monotonic() - started_s < traces.FLUSH_S
    stuck.may_end.set()


def test_switched_on_without_the_extra_the_start_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = "opentelemetry.exporter.otlp.proto.http.trace_exporter"
    monkeypatch.setitem(sys.modules, missing, None)  # as Python notes a module that is not there
    monkeypatch.setenv("GATEWAY_TRACES", "true")
    with pytest.raises(traces.TracingMissingError, match="GATEWAY_TRACES"):
        traces.exporting()
    assert main([]) == 2
    said = capsys.readouterr().err
    assert f"GATEWAY_TRACES is on, and {missing} is not installed" in said
    assert "payment-analytics-gateway[tracing]" in said
