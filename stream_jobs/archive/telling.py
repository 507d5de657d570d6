"""How far the archive is behind Kafka and what it wrote, as Prometheus is told of it; `Through` is pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge

from stream_jobs.archive.layout import Part
from stream_jobs.topics.offsets import Offsets, all_at_least

LOOK_EVERY_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class _Look:
    at_s: float
    ends: Mapping[str, Offsets]


class Through:
    """The newest instant as of which all that Kafka had is in files; to begin with, the instant of its making."""

    def __init__(self, now_s: float) -> None:
        self.at_s = now_s
        self._looks: deque[_Look] = deque()

    def is_due(self, now_s: float) -> bool:
        """Whether it is time to look where the topics end; so many looks wait as fit in a file's age."""
        return not self._looks or now_s - self._looks[-1].at_s >= LOOK_EVERY_S

    def looked(self, at_s: float, ends: Mapping[str, Offsets]) -> None:
        """So far the topics went at `at_s`, all decided."""
        self._looks.append(_Look(at_s, ends))

    def written(self, reached: Mapping[str, Offsets]) -> None:
        """All before these offsets is in files."""
        while self._looks and all(
            all_at_least(reached.get(topic, {}), ends)
            for topic, ends in self._looks[0].ends.items()
        ):
            self.at_s = self._looks.popleft().at_s


class ArchiveMetrics:
    """What an archiver counts, in a registry of its own; scraped in another thread than it is told in."""

    def __init__(self, clock_s: Callable[[], float]) -> None:
        self.registry = CollectorRegistry()
        self._clock_s = clock_s
        self._through = Through(clock_s())
        lag = Gauge(
            "archive_lag_seconds",
            "Since the instant as of which all that Kafka had is in files.",
            registry=self.registry,
        )
        # At the scrape and not when it is told: an archiver that hangs falls behind as well.
        lag.set_function(lambda: clock_s() - self._through.at_s)
        self._records = self._counter("archive_records_total", "Records that are in files.")
        self._files = self._counter("archive_files_total", "Files that were written.")
        self._lost = self._counter(
            "archive_lost_offsets_total", "Offsets that Kafka deleted unread and that are noted."
        )

    def look(self, stable_ends: Callable[[], Mapping[str, Offsets]]) -> None:
        """Remember where the topics end, if it is time to; all below `stable_ends` is decided."""
        now_s = self._clock_s()
        if self._through.is_due(now_s):
            self._through.looked(now_s, stable_ends())

    def reached(self, offsets: Mapping[str, Offsets]) -> None:
        """All before these offsets is in files."""
        self._through.written(offsets)

    def wrote(self, part: Part, records: int) -> None:
        """One more file."""
        self._records.labels(part.topic).inc(records)
        self._files.labels(part.topic).inc()

    def lost(self, part: Part) -> None:
        """A file that says that its offsets are lost."""
        self._lost.labels(part.topic).inc(part.end - part.start)

    def _counter(self, name: str, meaning: str) -> Counter:
        return Counter(name, meaning, ["topic"], registry=self.registry)
