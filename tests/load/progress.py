"""How long a look of the progress tracker takes where every call does, over 64 partitions, 10,000 segments, 3 replicas."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Mapping
from typing import Any

from stream_jobs.progress.pinot_served import HttpPinotServed
from stream_jobs.progress.side_by_side import in_threads
from stream_jobs.progress.tracker import Tracker
from stream_jobs.topics.names import NAMES
from stream_jobs.topics.offsets import Gap, Offsets
from tests.unit.stream_jobs.progress.big_pinot import BigPinot
from tests.unit.stream_jobs.progress.still import ENTRIES, RAW, REJECTED, StillKafka

PARTITIONS, REPLICAS = 64, 3
FINISHED = {"new": 1, "10,000 segments": 156}
CALLS_MS = (1, 40, 200)
LOOKS = 10


class _SlowPinot:
    def __init__(self, pinot: BigPinot, call_s: float) -> None:
        self._pinot = pinot
        self._call_s = call_s

    def get(self, path: str) -> Any:
        time.sleep(self._call_s)
        return self._pinot.get(path)

    def post(self, path: str, body: object, parse_float: Callable[[str], object] = float) -> Any:
        time.sleep(self._call_s)
        return self._pinot.post(path, body)

    def close(self) -> None:
        """Nothing is held."""


class _SlowKafka(StillKafka):
    call_s = 0.0

    def starts(self, topic: str) -> Offsets:
        time.sleep(self.call_s)
        return super().starts(topic)

    def ends(self, topic: str) -> Offsets:
        time.sleep(self.call_s)
        return super().ends(topic)

    def stable_ends(self, topic: str) -> Offsets:
        time.sleep(self.call_s)
        return super().stable_ends(topic)

    def group_offsets(self, topic: str) -> Offsets:
        time.sleep(self.call_s)
        return super().group_offsets(topic)

    def first_records(self, topic: str, gaps: Mapping[int, Gap]) -> Mapping[int, int | None]:
        time.sleep(self.call_s)
        return super().first_records(topic, gaps)


def measure(arguments: list[str]) -> dict[str, Any]:
    """The first look and the median of the next ten, in milliseconds, by the table's size and what a call takes."""
    parser().parse_args(arguments)
    return {
        "looks_ms": [
            {"table": table, "call_ms": call_ms, **_looks(finished, call_ms / 1000)}
            for table, finished in FINISHED.items()
            for call_ms in CALLS_MS
        ]
    }


def parser() -> argparse.ArgumentParser:
    """It has no options."""
    return argparse.ArgumentParser(prog="./dev bench progress", description=measure.__doc__)


def _looks(finished: int, call_s: float) -> dict[str, float]:
    pinot = BigPinot(PARTITIONS, finished, REPLICAS)
    kafka = _SlowKafka(PARTITIONS, PARTITIONS, 1)
    kafka.call_s = call_s
    served = HttpPinotServed(
        "http://controller", "http://broker", connect=lambda *_: _SlowPinot(pinot, call_s)
    )
    now_ms = 0
    tracker = Tracker(kafka, served, NAMES, lambda: now_ms, in_threads())
    took_ms = []
    for _ in range(LOOKS + 1):
        pinot.ahead += 10
        now_ms += 1_000
        for partition in range(PARTITIONS):
            kafka.end[RAW][partition] = kafka.group[partition] = pinot.ahead
            kafka.end[ENTRIES][partition] = pinot.offset(NAMES.entries_table, partition)
        kafka.end[REJECTED][0] = pinot.offset(NAMES.rejected_table, 0)
        began_s = time.perf_counter()
        assert tracker.look(now_ms) is not None
        took_ms.append((time.perf_counter() - began_s) * 1000)
    return {"first": round(took_ms[0]), "next_p50": round(sorted(took_ms[1:])[LOOKS // 2])}
