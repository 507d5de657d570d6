"""What a process counts, for Prometheus; all names stand here.

What is counted of each operation is added up here and given to `prometheus_client` once a second and
when somebody asks: its own counters would make a ready answer, which is little work, a tenth dearer.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)

BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
OTHER = "other"
"""Stands for what is not told apart by a label, so that no caller can make up series."""


class Tally:
    """A counter that is cheap to add to."""

    def __init__(self, counter: Counter) -> None:
        self._counter = counter
        self._untold: dict[tuple[str, ...], float] = {}

    def add(self, *labels: str, amount: float = 1) -> None:
        """Count one more under these labels' values."""
        self._untold[labels] = self._untold.get(labels, 0) + amount

    def tell(self) -> None:
        """Give the library what came since the last time."""
        untold, self._untold = self._untold, {}
        for labels, amount in untold.items():
            (self._counter.labels(*labels) if labels else self._counter).inc(amount)


class Durations:
    """A histogram of seconds by one label, cheap to add to."""

    def __init__(self, histogram: Histogram) -> None:
        self._histogram = histogram
        self._untold: dict[str, list[float]] = {}

    def observe(self, label: str, seconds: float) -> None:
        """Count one duration under the label's value."""
        untold = self._untold.get(label)
        if untold is None:
            untold = self._untold[label] = [0] * (len(BUCKETS_S) + 2)
        untold[bisect_left(BUCKETS_S, seconds)] += 1
        untold[-1] += seconds

    def tell(self) -> None:
        """Give the library what came since the last time."""
        untold, self._untold = self._untold, {}
        for label, (*counts, seconds) in untold.items():
            # The library takes durations one by one only; these are what it adds them to.
            told = self._histogram.labels(label)
            for bucket, count in zip(told._buckets, counts, strict=True):
                bucket.inc(count)
            told._sum.inc(seconds)


class Metrics:
    """Everything that the gateway counts; one of it a process.

    `page` is what `/metrics` shows if that is more than this process's own.
    """

    def __init__(self, page: CollectorRegistry | None = None) -> None:
        disable_created_metrics()
        self._own = CollectorRegistry()
        self._page = page or self._own
        self._tallies: list[Tally | Durations] = []
        self._watched: list[tuple[Gauge, Callable[[], float]]] = []
        self._declare_operations()
        self._declare_cache()
        self._declare_store()
        self.files_unreadable = self._gauge(
            "gateway_auth_files_unreadable",
            "Whether a file that callers are judged by says what cannot be used: what it said last holds.",
            "file",
        )
        self._declare_ages()
        self._declare_connections()
        self._declare_live()
        self._declare_exports()

    def _declare_operations(self) -> None:
        self.operations = self._tally(
            "gateway_graphql_operations_total",
            "Operations by name, where a trusted document names it, and outcome.",
            "operation",
            "outcome",
        )
        self.errors = self._tally("gateway_graphql_errors_total", "Errors by code.", "code")
        self.operation_seconds = self._durations(
            "gateway_graphql_operation_duration_seconds", "Time of an operation.", "outcome"
        )
        self.persisted = self._tally(
            "gateway_persisted_documents_total", "Documents asked for by hash or id.", "result"
        )
        self.shed = self._tally(
            "gateway_shed_total",
            "Operations refused before any work: the store has enough, or requests wait unread.",
            "because",
        )
        self.audit_lost = self._gauge(
            "gateway_audit_lost_lines", "Lines that the audit log lacks, of processes that live."
        )
        self.points = self._tally("gateway_cost_points_total", "Points that operations paid.")
        self.budget = self._tally(
            "gateway_budget_charges_total",
            "Charges to shared budgets: out of a lease, asked of Redis, or fallback without it.",
            "result",
        )

    def _declare_cache(self) -> None:
        self.cache_lookups = self._tally(
            "gateway_cache_lookups_total", "Answers by how they came about.", "result"
        )
        self.cache_evicted = self._tally(
            "gateway_cache_evicted_total", "Kept answers that made room for others."
        )
        self.cache_shared = self._tally(
            "gateway_cache_second_level_total", "Dealings with the second level.", "result"
        )
        self.cache_bytes = self._gauge("gateway_cache_bytes", "Size of the kept answers.")
        self.cache_answers = self._gauge("gateway_cache_answers", "Answers that are kept.")
        self.cache_flights = self._gauge("gateway_cache_flights", "Answers that are being made.")

    def _declare_store(self) -> None:
        self.store_seconds = self._durations(
            "gateway_store_query_duration_seconds", "Time of a store query.", "plan"
        )
        self.store_queries = self._gauge(
            "gateway_store_queries", "Store queries that run or wait for their turn.", "state"
        )
        self.store_queries_limit = self._gauge(
            "gateway_store_queries_limit", "Store queries that may run at once."
        )
        self.rows_answers = self._tally(
            "gateway_rows_answers_total",
            "Looks at an account's own rows, by what they took.",
            "source",
        )
        self.rows_bytes = self._gauge("gateway_rows_bytes", "Size of the kept accounts' rows.")

    def _declare_ages(self) -> None:
        self.provider_fails = self._gauge(
            "gateway_auth_jwks_unreachable",
            "Whether the identity provider's keys could not be fetched at the last try.",
        )
        self.file_changed = self._instant(
            "gateway_auth_file_modified_timestamp_seconds",
            "When a file that callers are judged by was written.",
            "file",
        )
        self.keys_end = self._instant(
            "gateway_auth_keys_expire_timestamp_seconds",
            "When the first holder of an API key is without a valid one.",
            "file",
        )
        self.certificate_ends = self._instant(
            "gateway_tls_certificate_expires_timestamp_seconds",
            "When a certificate, or the last of the authorities in a file, is no longer valid.",
            "file",
        )

    def _declare_connections(self) -> None:
        self.connections = self._gauge("gateway_connections", "Connections that are open.")
        self.connections_ended = self._tally(
            "gateway_connections_ended_total",
            "Connections that the gateway ended because of what their clients did, or did not.",
            "because",
        )

    def _declare_live(self) -> None:
        self.live_streams = self._gauge("gateway_live_streams", "Subscriptions that are open.")
        self.live_looks = self._tally(
            "gateway_live_looks_total",
            "Looks for subscribers: sent, unchanged, or failed, which is sent once.",
            "result",
        )
        self.live_ended = self._tally(
            "gateway_live_streams_ended_total", "Subscriptions that ended, by why.", "because"
        )

    def _declare_exports(self) -> None:
        self.exports = self._gauge("gateway_exports", "Exports that are under way.")
        self.exports_ended = self._tally(
            "gateway_exports_ended_total", "Exports that ended, by why.", "because"
        )
        self.export_rows = self._tally("gateway_export_rows_total", "Rows that exports had.")

    def lookup(self, result: str) -> None:
        """One answer, by how it came about."""
        self.cache_lookups.add(result)

    def evicted(self, entries: int) -> None:
        """Kept answers that made room."""
        self.cache_evicted.add(amount=entries)

    def watch(self, gauge: Gauge, read: Callable[[], float]) -> None:
        """Show in the gauge what `read` gives."""
        self._watched.append((gauge, read))

    def tell(self) -> None:
        """Give the library what it does not know yet."""
        for tally in self._tallies:
            tally.tell()
        for gauge, read in self._watched:
            gauge.set(read())

    def text(self) -> bytes:
        """The page, as Prometheus reads it."""
        self.tell()
        return generate_latest(self._page)

    def _tally(self, name: str, meaning: str, *labels: str) -> Tally:
        made = Tally(Counter(name, meaning, labels, registry=self._own))
        self._tallies.append(made)
        return made

    def _durations(self, name: str, meaning: str, label: str) -> Durations:
        histogram = Histogram(name, meaning, [label], registry=self._own, buckets=BUCKETS_S)
        made = Durations(histogram)
        self._tallies.append(made)
        return made

    def _gauge(self, name: str, meaning: str, *labels: str) -> Gauge:
        # Of several processes: what those that live have together.
        return Gauge(name, meaning, labels, registry=self._own, multiprocess_mode="livesum")

    def _instant(self, name: str, meaning: str, *labels: str) -> Gauge:
        # A process that nobody asks does not look at its files: the newest view is the latest instant.
        return Gauge(name, meaning, labels, registry=self._own, multiprocess_mode="livemax")
