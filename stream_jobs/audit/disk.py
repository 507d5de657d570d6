"""How much room is left where the audit keeps its state, as Prometheus is told of it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector


class DiskMetrics(Collector):
    """The file system of a folder; nothing is told while it cannot be asked."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def collect(self) -> Iterator[Metric]:
        """Both families, looked at afresh."""
        try:
            usage = shutil.disk_usage(self._folder)
        except OSError:
            return
        where = "of the disk that the audit's state is on"
        yield GaugeMetricFamily("audit_disk_free_bytes", f"Room {where}", usage.free)
        yield GaugeMetricFamily("audit_disk_size_bytes", f"Size {where}", usage.total)
