"""What a process tells Prometheus only while it works: of one that stands by, that it does.

Two that told the same would be counted twice, and what one that stands by does not know would look like a fault.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector


class Active(Collector):
    """Whether the process works, and if so, what `told` tells, else `meanwhile`; set by one thread, read by those that answer."""

    def __init__(self, name: str, meaning: str, meanwhile: Sequence[Collector] = ()) -> None:
        self._name = name
        self._meaning = meaning
        self._meanwhile = meanwhile
        self.told: Sequence[Collector] | None = None

    def collect(self) -> Iterator[Metric]:
        """The gauge, then everything else."""
        told = self.told
        yield GaugeMetricFamily(self._name, self._meaning, int(told is not None))
        for each in self._meanwhile if told is None else told:
            yield from each.collect()
