"""What is checked before the job starts, as values: the job, Kafka and Pinot as they are; pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

Options = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class KafkaTopic:
    """One topic as Kafka has it; `retention` is None for one that is kept for ever."""

    partitions: int
    retention: timedelta | None
    cleanup_policy: str = "delete"
    timestamp_type: str = "CreateTime"
    replication: int = 1  # the fewest replicas of any of its partitions
    min_in_sync: int = 1
    unclean_election: bool = False
    max_record: int = 1_048_588  # bytes, of a batch as it is sent
    max_unpacked: int | None = None  # bytes of one record; None: the broker does not bound it
    oldest: timedelta | None = None  # how old a record's timestamp may be; None: any age


@dataclass(frozen=True, slots=True)
class Broker:
    """What the brokers say of themselves; of several the smallest value."""

    transaction_limit: timedelta  # transaction.max.timeout.ms
    transactional_id_life: timedelta  # transactional.id.expiration.ms
    offsets_kept: timedelta  # offsets.retention.minutes
    internal: Mapping[str, KafkaTopic]  # the topics of its own that exist, by name


@dataclass(frozen=True, slots=True)
class Safety:
    """How many copies a record must have where this runs."""

    replication: int
    min_in_sync: int


@dataclass(frozen=True, slots=True)
class PinotTable:
    """One Pinot table that reads a topic of the job."""

    isolation_level: str
    offset_reset: str
    partition_column: str  # empty: not partitioned
    partition_function: str
    partitions: int
    flush_after: timedelta  # how long rows are held in memory alone at most
    retention: timedelta | None = None  # None: rows are kept for ever


@dataclass(frozen=True, slots=True)
class PipelineConfiguration:
    """All that is checked. `tables` has the connector's options of each table in the job's SQL."""

    dedup_window: timedelta
    occurred_back: timedelta  # how far before its record an event may have happened
    outage_reserve: timedelta
    transaction_timeout: timedelta
    checkpoint_interval: timedelta
    parallelism: int
    flink: Options
    tables: Mapping[str, Options]
    broker: Broker
    safety: Safety
    raw: KafkaTopic
    entries: KafkaTopic
    rejected: KafkaTopic
    uncounted: KafkaTopic
    pinot: Mapping[str, PinotTable]


@dataclass(frozen=True, slots=True)
class Problem:
    """One configuration that could lose or double money. `rule` is its short, stable name."""

    rule: str
    message: str


Rule = Callable[[PipelineConfiguration], Iterator[Problem]]
