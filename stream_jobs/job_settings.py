"""What the Flink job is told from outside; `configuration_check` says what of it must agree with what."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from stream_jobs.dedup_window import DEFAULT_WINDOW
from stream_jobs.event_rules import MAX_REVERSALS

DEFAULT_TRANSACTION_TIMEOUT = timedelta(days=14)
JOB_NAME = "account-entries"
CONSUMER_GROUP = "account-entries-job"
HEARTBEAT_TOPIC = "pipeline-heartbeat"


@dataclass(frozen=True, slots=True)
class JobSettings:
    """Endpoints and limits of one job. Times are durations; all topics are on one Kafka.

    Flink's library folder, on the cluster and here, holds the Kafka connector and `flink-python`.
    """

    kafka_servers: str
    flink_rest: str  # host:port
    python: Path
    checkpoints: str  # URI of the folder
    savepoints: str  # URI of the folder
    parallelism: int = 2
    checkpoint_interval: timedelta = timedelta(seconds=1)
    dedup_window: timedelta = DEFAULT_WINDOW
    transaction_timeout: timedelta = (
        DEFAULT_TRANSACTION_TIMEOUT  # the longest outage that loses nothing
    )
    transactions_topic: str = "transactions"
    account_entries_topic: str = "account-entries"
    transactions_rejected_topic: str = "transactions-rejected"

    def sql_literals(self) -> dict[str, str]:
        """The placeholders of `stream_jobs/sql/*.sql`, each an SQL literal."""
        values = {
            "kafka_servers": self.kafka_servers,
            "consumer_group": CONSUMER_GROUP,
            "source_topics": f"{self.transactions_topic};{HEARTBEAT_TOPIC}",
            "transactions_topic": self.transactions_topic,
            "account_entries_topic": self.account_entries_topic,
            "transactions_rejected_topic": self.transactions_rejected_topic,
            "transaction_timeout_ms": str(round(self.transaction_timeout.total_seconds() * 1000)),
            "entries_transactional_id": f"{JOB_NAME}-entries",
            "rejected_transactional_id": f"{JOB_NAME}-rejected",
        }
        quoted = {name: "'" + value.replace("'", "''") + "'" for name, value in values.items()}
        return {**quoted, "max_reversals": str(MAX_REVERSALS)}

    def flink_configuration(self) -> dict[str, str]:
        """The job's own Flink options; what concerns the cluster is in the cluster's file."""
        rest_host, _, rest_port = self.flink_rest.rpartition(":")
        return {
            "pipeline.name": JOB_NAME,
            "execution.target": "remote",
            "execution.attached": "false",
            "rest.address": rest_host,
            "rest.port": rest_port,
            "python.executable": str(self.python),
            "python.client.executable": str(self.python),
            "python.execution-mode": "process",
            # The bundle's age is paid by every event; its size by nobody but the slowest.
            "python.fn-execution.bundle.size": "2000",
            "python.fn-execution.bundle.time": "50",
            "parallelism.default": str(self.parallelism),
            # Fixed for ever: state is cut into so many pieces, whatever the parallelism.
            "pipeline.max-parallelism": "128",
            "table.local-time-zone": "UTC",
            "table.exec.state.ttl": f"{round(self.dedup_window.total_seconds())} s",
            "state.backend.type": "rocksdb",
            # Most ids are new: a filter of 10 bits an id spares looking for them on disk.
            "state.backend.rocksdb.use-bloom-filter": "true",
            # 37 instead of 43 bytes an id at 10 million, for 6 % more CPU (./dev bench state).
            "state.backend.rocksdb.compression.per.level": "ZSTD_COMPRESSION",
            "state.backend.rocksdb.memory.partitioned-index-filters": "true",
            "execution.checkpointing.interval": _milliseconds(self.checkpoint_interval),
            "execution.checkpointing.mode": "EXACTLY_ONCE",
            "execution.checkpointing.timeout": "120 s",
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


def _milliseconds(duration: timedelta) -> str:
    return f"{round(duration.total_seconds() * 1000)} ms"
