"""What Prometheus is told of the tracker itself; docs/operations.md lists it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from stream_jobs.progress.unread import Unread


class ProgressMetrics(Collector):
    """Written by the thread that looks, read by those that answer. Without any proof yet there is no lag to tell."""

    def __init__(self, clock_ms: Callable[[], int], as_of_ms: int | None, unread: Unread) -> None:
        self._clock_ms = clock_ms
        self._unread = unread
        self.as_of_ms = as_of_ms
        self.holes = 0

    def collect(self) -> Iterator[Metric]:
        """All metrics."""
        if self.as_of_ms is not None:
            yield GaugeMetricFamily(
                "pipeline_as_of_lag_seconds",
                "How far asOf is behind the clock.",
                max(0, self._clock_ms() - self.as_of_ms) / 1000,
            )
        yield GaugeMetricFamily(
            "pipeline_segment_holes", "Places where Pinot lacks rows for good.", self.holes
        )
        deleted = CounterMetricFamily(
            "pipeline_unread_deleted_events",
            "Offsets that were deleted before they were read, by topic.",
            labels=["topic"],
        )
        for topic, offsets in sorted(self._unread.deleted.items()):
            deleted.add_metric([topic], offsets)
        yield deleted
