"""How large a cluster is for so many transactions a year: arithmetic on what was measured; pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import ceil
from typing import Any, Final

YEAR_DAYS: Final = 365
DAY_S: Final = 86_400
GB: Final = 10**9
TB: Final = 10**12


def _number(default: float, meaning: str) -> Any:
    return field(default=default, metadata={"meaning": meaning})


@dataclass(frozen=True, slots=True)
class Measured:
    """What was measured; docs/scale.md says of each how."""

    row_bytes: float = _number(100, "bytes of a row in a finished segment, indexes included")
    build_us: float = _number(25.2, "microseconds of CPU to build a segment, a row")
    raw_bytes: float = _number(164, "bytes of an event in Kafka, not compressed, 15 a batch")
    entry_bytes: float = _number(117, "bytes of an entry in Kafka, by lz4, 15 a batch")
    id_bytes: float = _number(36.6, "bytes of a remembered id in a checkpoint")
    id_bytes_on_disk: float = _number(47.8, "bytes of a remembered id in RocksDB's folder")
    ideal_state_bytes: float = _number(10.5, "bytes of a segment in a compressed ideal state")
    gateway_miss_ms: float = _number(
        2.9, "milliseconds of a gateway's CPU for an answer that is made"
    )
    gateway_hit_ms: float = _number(0.19, "milliseconds of a gateway's CPU for a hit")
    pinot_miss_ms: float = _number(5.8, "milliseconds of Pinot's CPU for an answer that is made")
    pinot_hit_ms: float = _number(0.36, "milliseconds of Pinot's CPU for a hit: renewals")
    statements: float = _number(1.84, "statements for an answer that is made")
    broker_us: float = _number(
        0.12, "microseconds of a broker's CPU a segment of the table, a statement"
    )
    named_us: float = _number(7, "microseconds of Pinot's CPU a segment that is named, a statement")
    opened_us: float = _number(
        20, "microseconds of Pinot's CPU a segment that is opened, on top, a statement"
    )


@dataclass(frozen=True, slots=True)
class Load:
    """What is to be carried, and what was chosen for it."""

    transactions: float = _number(14.6e9, "transactions a year")
    peak: float = _number(10_000, "transactions a second at the peak")
    queries: float = _number(5_000, "operations a second")
    window: float = _number(30, "days of the window of a usual question")
    partitions: int = _number(64, "kafka partitions of account-entries")
    replicas: int = _number(3, "copies of everything")
    segment_rows: float = _number(800_000, "rows of a segment as it is finished")
    merged_rows: float = _number(5_000_000, "rows of a merged segment")
    merged_after: float = _number(45, "days after which segments are merged")
    bucket: float = _number(7, "days of the event's own time that are merged with each other")
    late: float = _number(30, "days that an event may come late")
    raw_days: float = _number(14, "days for which Kafka keeps events")
    entries_days: float = _number(7, "days for which Kafka keeps entries")
    ids_days: float = _number(15, "days for which ids are remembered")


def rows(load: Load, days: float) -> float:
    """Rows of the table after so many days: two entries a transaction."""
    return 2 * load.transactions / YEAR_DAYS * days


def segments(load: Load, days: float, *, merged: bool, rows_before: float = 0) -> float:
    """Segments of the whole table after so many days, and of what it held before."""
    if not merged:
        return (rows_before + rows(load, days)) / load.segment_rows
    young = rows(load, min(days, load.merged_after))
    return young / load.segment_rows + (rows_before + rows(load, days) - young) / load.merged_rows


def of_a_partition(load: Load, days: float, *, merged: bool) -> float:
    """Segments that a statement about one account names."""
    return segments(load, days, merged=merged) / load.partitions


def executed(load: Load, days: float, window: float, *, merged: bool) -> float:
    """Segments of a partition whose times meet a window of the newest days.

    What happened in the window may have come late; what came late before it widens nothing on this side of it.
    """
    return of_a_partition(load, min(days, window), merged=merged)


def executed_long_ago(load: Load, window: float, *, merged: bool) -> float:
    """The same of a window that ended long ago.

    Merged segments are cut by the event's own time, into buckets; others by arrival, which may be late.
    """
    if merged:
        in_a_bucket = ceil(rows(load, load.bucket) / load.merged_rows / load.partitions)
        return ceil(window / load.bucket) * in_a_bucket
    return rows(load, window + load.late) / load.segment_rows / load.partitions


def average(load: Load) -> float:
    """Transactions a second, over a year."""
    return load.transactions / YEAR_DAYS / DAY_S


def fill_hours(load: Load, events_s: float) -> float:
    """Until a partition's segment is full."""
    return load.segment_rows / (2 * events_s / load.partitions) / 3_600


def pause_s(load: Load, measured: Measured) -> float:
    """How long a partition stands still on Pinot 0.11 while a segment is built on a core of its own."""
    return load.segment_rows * measured.build_us / 1e6


def segments_that_fit(measured: Measured, node_bytes: float = 1_048_576) -> float:
    """Segments whose compressed ideal state fits ZooKeeper's limit; its default is 1 MiB."""
    return node_bytes / measured.ideal_state_bytes


def table_bytes(load: Load, measured: Measured, days: float) -> float:
    """One copy of the table."""
    return rows(load, days) * measured.row_bytes


def kafka_bytes(load: Load, measured: Measured) -> float:
    """All copies of events and of entries, for as long as they are kept."""
    a_day = load.transactions / YEAR_DAYS
    events = a_day * load.raw_days * measured.raw_bytes
    entries = 2 * a_day * load.entries_days * measured.entry_bytes
    return load.replicas * (events + entries)


def ids(load: Load) -> float:
    """Transaction ids that the job remembers."""
    return load.transactions / YEAR_DAYS * load.ids_days


def gateway_cores(load: Load, measured: Measured, hits: float) -> float:
    """CPU of all gateways at this share of hits."""
    return load.queries * _mixed(measured.gateway_hit_ms, measured.gateway_miss_ms, hits) / 1_000


def statement_ms(load: Load, measured: Measured, days: float, *, merged: bool) -> float:
    """What the number of segments adds to the CPU of a statement about an account's newest days."""
    broker_us = segments(load, days, merged=merged) * measured.broker_us
    named_us = of_a_partition(load, days, merged=merged) * measured.named_us
    opened_us = executed(load, days, load.window, merged=merged) * measured.opened_us
    return (broker_us + named_us + opened_us) / 1_000


def pinot_cores(load: Load, measured: Measured, hits: float, days: float, *, merged: bool) -> float:
    """CPU of all brokers and servers at this share of hits, the table being so old."""
    more_ms = measured.statements * statement_ms(load, measured, days, merged=merged)
    miss_ms = measured.pinot_miss_ms + more_ms
    hit_ms = measured.pinot_hit_ms * miss_ms / measured.pinot_miss_ms
    return load.queries * _mixed(hit_ms, miss_ms, hits) / 1_000


def half_idle(cores: float) -> int:
    """Cores to have for so many that are busy: at more than half of them answers wait."""
    return ceil(2 * cores)


def _mixed(hit: float, miss: float, hits: float) -> float:
    return hits * hit + (1 - hits) * miss
