"""Counters and histograms in Prometheus' text format; all names stand here."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator

BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Counter:
    """A number that only grows, by one label."""

    def __init__(self, name: str, meaning: str, label: str) -> None:
        self._head = f"# HELP {name} {meaning}\n# TYPE {name} counter"
        self._name, self._label = name, label
        self._values: dict[str, float] = {}

    def add(self, value: str, amount: float = 1) -> None:
        """Count one more of a label's value."""
        self._values[value] = self._values.get(value, 0) + amount

    def lines(self) -> Iterator[str]:
        """The counter as text."""
        yield self._head
        for value, amount in sorted(self._values.items()):
            yield f'{self._name}{{{self._label}="{value}"}} {amount:g}'


class Gauge:
    """A number as it is now, by one label; asked for when it is told."""

    def __init__(self, name: str, meaning: str, label: str) -> None:
        self._head = f"# HELP {name} {meaning}\n# TYPE {name} gauge"
        self._name, self._label = name, label
        self._read: dict[str, Callable[[], float]] = {}

    def watch(self, value: str, read: Callable[[], float]) -> None:
        """Tell what `read` gives under a label's value."""
        self._read[value] = read

    def lines(self) -> Iterator[str]:
        """The gauge as text."""
        yield self._head
        for value, read in sorted(self._read.items()):
            yield f'{self._name}{{{self._label}="{value}"}} {read():g}'


class Histogram:
    """Durations in seconds, by one label."""

    def __init__(self, name: str, meaning: str, label: str) -> None:
        self._head = f"# HELP {name} {meaning}\n# TYPE {name} histogram"
        self._name, self._label = name, label
        self._counts: dict[str, list[int]] = {}
        self._sums: dict[str, float] = {}

    def observe(self, value: str, seconds: float) -> None:
        """Count one duration of a label's value."""
        counts = self._counts.setdefault(value, [0] * (len(BUCKETS_S) + 1))
        counts[bisect_left(BUCKETS_S, seconds)] += 1
        self._sums[value] = self._sums.get(value, 0.0) + seconds

    def lines(self) -> Iterator[str]:
        """The histogram as text, with cumulative buckets."""
        yield self._head
        for value, counts in sorted(self._counts.items()):
            label, seen = f'{self._label}="{value}"', 0
            for bound, count in zip((*map(str, BUCKETS_S), "+Inf"), counts, strict=True):
                seen += count
                yield f'{self._name}_bucket{{{label},le="{bound}"}} {seen}'
            yield f"{self._name}_sum{{{label}}} {self._sums[value]:.6f}"
            yield f"{self._name}_count{{{label}}} {seen}"


class Metrics:
    """Everything that the gateway counts; one of it a process."""

    def __init__(self) -> None:
        self.operations = Counter(
            "gateway_graphql_operations_total", "Operations by outcome.", "outcome"
        )
        self.errors = Counter("gateway_graphql_errors_total", "Errors by code.", "code")
        self.operation_seconds = Histogram(
            "gateway_graphql_operation_duration_seconds", "Time of an operation.", "outcome"
        )
        self.store_seconds = Histogram(
            "gateway_store_query_duration_seconds", "Time of a store query.", "plan"
        )
        self.persisted = Counter(
            "gateway_persisted_documents_total", "Documents asked for by hash or id.", "result"
        )
        self.cache_lookups = Counter(
            "gateway_cache_lookups_total", "Answers by how they came about.", "result"
        )
        self.cache_evicted = Counter(
            "gateway_cache_evicted_total", "Kept answers that made room for others.", "level"
        )
        self.cache_shared = Counter(
            "gateway_cache_second_level_total", "Dealings with the second level.", "result"
        )
        self.cache_size = Gauge("gateway_cache_size", "What is kept in this process.", "unit")
        self.store_gate = Gauge(
            "gateway_store_queries", "Store queries: limit, running, queued.", "of"
        )
        self.gathering = Counter(
            "gateway_gathering_total",
            "Totals sent alone, gathered, or again after that failed; and queries for several.",
            "of",
        )
        self.shed = Counter(
            "gateway_shed_total",
            "Operations refused before any work: the store has enough, or requests wait unread.",
            "because",
        )
        self.points = Counter(
            "gateway_cost_points_total", "Points of operations, by what became of them.", "result"
        )
        self.budget = Counter(
            "gateway_budget_charges_total",
            "Charges to shared budgets: out of a lease, asked of Redis, or fallback without it.",
            "result",
        )

    def lookup(self, result: str) -> None:
        """One answer, by how it came about."""
        self.cache_lookups.add(result)

    def evicted(self, entries: int) -> None:
        """Kept answers that made room."""
        self.cache_evicted.add("process", entries)

    def text(self) -> str:
        """All of it."""
        parts = (
            self.operations,
            self.errors,
            self.operation_seconds,
            self.store_seconds,
            self.persisted,
            self.cache_lookups,
            self.cache_evicted,
            self.cache_shared,
            self.cache_size,
            self.store_gate,
            self.gathering,
            self.shed,
            self.points,
            self.budget,
        )
        return "\n".join(line for part in parts for line in part.lines()) + "\n"
