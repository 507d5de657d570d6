"""What the Flink job is told from outside; `configuration_check` says what of it must agree with what."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from stream_jobs.events.dedup_window import DEFAULT_WINDOW
from stream_jobs.events.erased_accounts import ErasedAccounts
from stream_jobs.events.reasons import MAX_REVERSALS
from stream_jobs.events.settings import DEFAULT as DEFAULT_RULES
from stream_jobs.events.settings import EventRules
from stream_jobs.topics.access import CLEAR_TEXT, FLINK_PACKAGE, KafkaAccess
from stream_jobs.topics.names import NAMES, Names
from stream_jobs.topics.topic import Environment

DEFAULT_TRANSACTION_TIMEOUT = timedelta(days=14)
DEFAULT_CHECKPOINT_INTERVAL = timedelta(seconds=1)
# Ids are forgotten by the clock, also while the job is away: so much of being away takes nothing of the window.
DEFAULT_OUTAGE_RESERVE = timedelta(days=1)
CHECKPOINT_TIMEOUT = timedelta(seconds=120)


@dataclass(frozen=True, slots=True)
class JobSettings:
    """Endpoints, names and limits of one job. Times are durations; all topics are on one Kafka.

    A second pipeline beside the first has other names for all but the raw events.

    Flink's library folder, on the cluster and here, holds the Kafka connector and `flink-python`.
    """

    kafka_servers: str
    flink_rest: str | None  # host:port; None: the job runs in the cluster that starts it
    python: Path
    checkpoints: str  # URI of the folder
    savepoints: str  # URI of the folder
    parallelism: int = 2
    checkpoint_interval: timedelta = DEFAULT_CHECKPOINT_INTERVAL
    dedup_window: timedelta = DEFAULT_WINDOW
    transaction_timeout: timedelta = (
        DEFAULT_TRANSACTION_TIMEOUT  # the longest outage that loses nothing
    )
    outage_reserve: timedelta = DEFAULT_OUTAGE_RESERVE  # of being away within one window
    environment: Environment = Environment.PRODUCTION
    names: Names = NAMES
    rules: EventRules = DEFAULT_RULES
    access: KafkaAccess = CLEAR_TEXT  # how Flink's connectors reach Kafka
    erased_accounts: ErasedAccounts = ErasedAccounts.KEPT  # what comes for them after their erasure
    erasure_key: Path | None = None  # where workers run; not needed where it is kept

    def sql_literals(self) -> dict[str, str]:
        """The placeholders of `stream_jobs/job/sql/*.sql`, each an SQL literal."""
        values = {
            "kafka_servers": self.kafka_servers,
            "consumer_group": self.names.group,
            "source_topics": f"{self.names.transactions_topic};{self.names.heartbeat_topic}",
            "transactions_topic": self.names.transactions_topic,
            "heartbeat_topic": self.names.heartbeat_topic,
            "account_entries_topic": self.names.entries_topic,
            "transactions_rejected_topic": self.names.rejected_topic,
            "transactions_uncounted_topic": self.names.uncounted_topic,
            "transaction_timeout_ms": str(round(self.transaction_timeout.total_seconds() * 1000)),
            "entries_transactional_id": f"{self.names.job}-entries",
            "rejected_transactional_id": f"{self.names.job}-rejected",
            "uncounted_transactional_id": f"{self.names.job}-uncounted",
        }
        literals = {name: _quoted(value) for name, value in values.items()}
        return {
            **literals,
            "kafka_access": self._access_options(),
            "max_reversals": str(MAX_REVERSALS),
        }

    def _access_options(self) -> str:
        """The connectors' options by which Kafka lets them in: secrets stand in them as places of files."""
        properties = self.access.java_client(FLINK_PACKAGE)
        return "\n  ".join(
            f"{_quoted(f'properties.{name}')} = {_quoted(value)},"
            for name, value in properties.items()
        )

    def flink_configuration(self) -> dict[str, str]:
        """The job's own Flink options; what concerns the cluster is in the cluster's file."""
        return {
            "pipeline.name": self.names.job,
            **self._where_it_runs(),
            "python.executable": str(self.python),
            "python.client.executable": str(self.python),
            "python.execution-mode": "process",
            # A checkpoint ends the bundle that it finds, and nothing is read before one commits it: its age delays no event.
            "python.fn-execution.bundle.size": "2000",
            "python.fn-execution.bundle.time": "150",
            "parallelism.default": str(self.parallelism),
            # Fixed for ever: state is cut into so many pieces, whatever the parallelism.
            "pipeline.max-parallelism": "128",
            "table.local-time-zone": "UTC",
            "table.exec.state.ttl": _seconds(self.dedup_window + self.outage_reserve),
            # Rows go from operator to operator as they are; those that keep one copy it (Python's functions, state).
            "pipeline.object-reuse": "true",
            "state.backend.type": "rocksdb",
            # Most ids are new: a filter of 10 bits an id spares looking for them on disk.
            "state.backend.rocksdb.use-bloom-filter": "true",
            # 37 instead of 43 bytes an id at 10 million, for 6 % more CPU (./dev bench state).
            "state.backend.rocksdb.compression.per.level": "ZSTD_COMPRESSION",
            "state.backend.rocksdb.memory.partitioned-index-filters": "true",
            # Each checkpoint writes a small file of ids that lie anywhere, and for every four of them all of the first level
            # is written anew: it is small, and what it is merged into goes by small files. So no checkpoint has much to
            # bring at once, and ids that have expired are gone soon (docs/benchmarks.md: what the peak costs).
            "state.backend.rocksdb.compaction.style": "LEVEL",
            "state.backend.rocksdb.compaction.level.use-dynamic-size": "true",
            "state.backend.rocksdb.compaction.level.max-size-level-base": "16 mb",
            "state.backend.rocksdb.compaction.level.target-file-size-base": "4 mb",
            "execution.checkpointing.interval": _milliseconds(self.checkpoint_interval),
            "execution.checkpointing.mode": "EXACTLY_ONCE",
            "execution.checkpointing.timeout": _seconds(CHECKPOINT_TIMEOUT),
            # Said, though it is the default: the cluster's file could say otherwise.
            "execution.checkpointing.unaligned.enabled": "false",
            "execution.checkpointing.incremental": "true",
            "execution.checkpointing.dir": self.checkpoints,
            "execution.checkpointing.savepoint-dir": self.savepoints,
            "execution.checkpointing.num-retained": "3",
            "execution.checkpointing.externalized-checkpoint-retention": "RETAIN_ON_CANCELLATION",
            "execution.checkpointing.tolerable-failed-checkpoints": "100",
            # The job outlives every outage of its neighbours: it is tried again for ever.
            "restart-strategy.type": "exponential-delay",
            "restart-strategy.exponential-delay.initial-backoff": "1 s",
            "restart-strategy.exponential-delay.max-backoff": "10 s",
            "restart-strategy.exponential-delay.reset-backoff-threshold": "1 min",
        }

    def _where_it_runs(self) -> dict[str, str]:
        if self.flink_rest is None:
            return {}
        rest_host, _, rest_port = self.flink_rest.rpartition(":")
        return {
            "execution.target": "remote",
            "execution.attached": "false",
            "rest.address": rest_host,
            "rest.port": rest_port,
        }


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _milliseconds(duration: timedelta) -> str:
    return f"{round(duration.total_seconds() * 1000)} ms"


def _seconds(duration: timedelta) -> str:
    return f"{round(duration.total_seconds())} s"
