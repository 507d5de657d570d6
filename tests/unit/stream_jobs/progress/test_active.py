"""What works tells everything; what stands by tells only that it does, and what is told meanwhile."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from stream_jobs.progress.active import Active


class One(Collector):
    """One gauge."""

    def __init__(self, name: str) -> None:
        self._name = name

    def collect(self) -> Iterator[Metric]:
        yield GaugeMetricFamily(self._name, "It.", 7)


def test_only_who_works_tells_what_there_is() -> None:
    active = Active("works", "Whether it does.", [One("meanwhile")])
    registry = CollectorRegistry()
    registry.register(active)

    def told() -> dict[str, float | None]:
        return {name: registry.get_sample_value(name) for name in ("works", "it", "meanwhile")}

    assert told() == {"works": 0, "it": None, "meanwhile": 7}
    active.told = [One("it")]
    assert told() == {"works": 1, "it": 7, "meanwhile": None}
    active.told = []
    assert told() == {"works": 1, "it": None, "meanwhile": None}
