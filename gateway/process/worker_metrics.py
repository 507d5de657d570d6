"""Metrics of several workers as one page: `prometheus_client`'s files, in a folder of the supervisor's.

What a worker has counted stays in its files when it has ended, and whoever takes its name goes on there.
So counters never go backwards, and there are never more files than names.
"""

from __future__ import annotations

import os

from prometheus_client import CollectorRegistry, values
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead


def join(folder: str, name: str) -> CollectorRegistry:
    """The page of all workers, of which the metrics made from now on are a part, under a worker's name.

    Only one living process may have the name.
    """
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
    values.ValueClass = values.MultiProcessValue(lambda: name)
    page = CollectorRegistry()
    MultiProcessCollector(page, folder)
    return page


def left(folder: str, name: str) -> None:
    """Forget what was true only while the worker lived."""
    mark_process_dead(name, folder)
