"""What the Flink job is told from outside, checked before anything starts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

JOB_NAME = "account-entries"
CONSUMER_GROUP = "account-entries-job"
HEARTBEAT_TOPIC = "pipeline-heartbeat"


class JobSettingsError(Exception):
    """A configuration that could lose or double money; the message says which and why."""


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
    dedup_window: timedelta = timedelta(days=14)
    transaction_timeout: timedelta = timedelta(days=14)  # the longest outage that loses nothing
    transactions_topic: str = "transactions"
    account_entries_topic: str = "account-entries"
    transactions_rejected_topic: str = "transactions-rejected"

    def __post_init__(self) -> None:
        if self.transaction_timeout < 60 * self.checkpoint_interval:
            raise JobSettingsError(
                f"A Kafka transaction times out after {self.transaction_timeout}, less than 60 "
                f"checkpoints of {self.checkpoint_interval}: an outage that long would lose entries."
            )
        if self.dedup_window < self.transaction_timeout:
            raise JobSettingsError(
                f"Transaction ids are remembered for {self.dedup_window}, but an outage may last "
                f"{self.transaction_timeout}: what is replayed after it would count twice."
            )

    def sql_literals(self) -> dict[str, str]:
        """The placeholders of `stream_jobs/sql/*.sql`, each a quoted SQL literal."""
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
        return {name: "'" + value.replace("'", "''") + "'" for name, value in values.items()}

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
            "table.local-time-zone": "UTC",
            "table.exec.state.ttl": f"{round(self.dedup_window.total_seconds())} s",
            "state.backend.type": "rocksdb",
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
