"""What must agree between the job, Kafka and Pinot, or money could be lost or counted twice; pure.

Values in, problems out. Each problem says what could happen and how to mend it. The job refuses to start
with one, and so do `./dev up` and `./dev upgrade`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from stream_jobs.job import broker_check
from stream_jobs.job.configuration import PipelineConfiguration, Problem, Rule

CHECKPOINTS_IN_A_TRANSACTION: Final = 60
EXACTLY_ONCE: Final = "exactly-once"


class ConfigurationError(Exception):
    """The job must not start with this configuration; the message has a line for each problem."""

    def __init__(self, problems: list[Problem]) -> None:
        lines = "\n".join(f"  {each.rule}: {each.message}" for each in problems)
        super().__init__(f"This configuration could lose or double money:\n{lines}")
        self.problems = problems


def problems(configuration: PipelineConfiguration) -> list[Problem]:
    """Every broken rule."""
    return [problem for rule in RULES for problem in rule(configuration)]


def refuse(configuration: PipelineConfiguration) -> None:
    """Raises ConfigurationError if any rule is broken."""
    found = problems(configuration)
    if found:
        raise ConfigurationError(found)


def _times(c: PipelineConfiguration) -> Iterator[Problem]:
    if c.transaction_timeout < CHECKPOINTS_IN_A_TRANSACTION * c.checkpoint_interval:
        yield Problem(
            "transaction-timeout-short",
            f"Kafka gives up a transaction after {c.transaction_timeout}, less than "
            f"{CHECKPOINTS_IN_A_TRANSACTION} checkpoints of {c.checkpoint_interval}: an outage that long "
            "loses entries. Raise transaction_timeout.",
        )
    if c.dedup_window < c.transaction_timeout:
        yield Problem(
            "window-below-outage",
            f"Ids are remembered for {c.dedup_window}, but an outage may last {c.transaction_timeout}: what is "
            "replayed after it counts twice. Raise dedup_window or lower transaction_timeout.",
        )
    ttl = _seconds(c.flink.get("table.exec.state.ttl", "0 s"))
    if timedelta(0) < ttl < c.dedup_window + c.outage_reserve:
        yield Problem(
            "state-ttl",
            f"Flink forgets ids after {ttl} (table.exec.state.ttl), by the clock and also while the job is away: "
            f"after an outage of {c.outage_reserve} before the window of {c.dedup_window} ends, and a late "
            "duplicate counts twice. Set it to the window and the reserve for outages together.",
        )


def _retention(c: PipelineConfiguration) -> Iterator[Problem]:
    kept = c.raw.retention
    if kept is not None and kept < c.transaction_timeout:
        yield Problem(
            "raw-retention-short",
            f"Kafka deletes raw events after {kept}, but an outage may last {c.transaction_timeout}: what the "
            "job has not read by then is lost. Raise retention.ms of transactions.",
        )
    # Kept for ever is an archive to recount from; a finite retention says what may be replayed.
    if kept is not None and kept > c.dedup_window:
        yield Problem(
            "raw-retention-long",
            f"Raw events are kept for {kept}, ids are remembered for {c.dedup_window}: a replay from the "
            "topic's beginning counts the oldest twice. Lower retention.ms or raise dedup_window.",
        )
    if kept is not None and (c.raw.oldest is None or c.raw.oldest >= kept):
        yield Problem(
            "raw-older-than-kept",
            f"transactions takes timestamps of {'any age' if c.raw.oldest is None else f'up to {c.raw.oldest}'}, and "
            f"deletes what is older than {kept}: a late event may be gone before the job has read it, and nobody is "
            "told. Set message.timestamp.before.max.ms below retention.ms (Kafka 3.6 and later).",
        )
    for name, topic in (("transactions", c.raw), ("account-entries", c.entries)):
        if "compact" in topic.cleanup_policy:
            yield Problem(
                "compacted-topic",
                f"{name} is compacted: of records with one key all but the last are lost. "
                "Set cleanup.policy to delete.",
            )
    if c.raw.timestamp_type != "CreateTime":
        yield Problem(
            "event-time-overwritten",
            f"transactions has message.timestamp.type {c.raw.timestamp_type}: the broker overwrites the "
            "event's time, and money moves to another timeframe. Set CreateTime.",
        )


def _checkpoints(c: PipelineConfiguration) -> Iterator[Problem]:
    if c.flink.get("execution.checkpointing.mode") != "EXACTLY_ONCE":
        yield Problem(
            "checkpoint-mode",
            "Checkpoints are not EXACTLY_ONCE: after a failure events count twice. "
            "Set execution.checkpointing.mode.",
        )
    if c.flink.get("execution.checkpointing.unaligned.enabled", "false") != "false":
        yield Problem(
            "unaligned-checkpoints",
            "Unaligned checkpoints commit offsets of events that are still on their way: asOf would promise "
            "what is not counted. Set execution.checkpointing.unaligned.enabled to false.",
        )
    kept = c.flink.get("execution.checkpointing.externalized-checkpoint-retention")
    if kept != "RETAIN_ON_CANCELLATION":
        yield Problem(
            "checkpoints-deleted",
            "A job that is cancelled takes its checkpoints with it; started again without its memory it counts "
            "everything twice. Set externalized-checkpoint-retention to RETAIN_ON_CANCELLATION.",
        )
    pieces = int(c.flink.get("pipeline.max-parallelism", "0"))
    if c.parallelism > pieces:
        yield Problem(
            "max-parallelism",
            f"Parallelism {c.parallelism} is above pipeline.max-parallelism ({pieces or 'not set'}): state cut "
            "otherwise cannot be restored, and the memory is lost. Set it once, and for ever.",
        )


def _sinks(c: PipelineConfiguration) -> Iterator[Problem]:
    prefixes: dict[str, str] = {}
    timeout_ms = str(round(c.transaction_timeout.total_seconds() * 1000))
    for name, options in c.tables.items():
        if "scan.startup.mode" in options:
            continue
        wanted = {
            "sink.delivery-guarantee": (EXACTLY_ONCE, "after a failure entries appear twice"),
            "sink.transaction-naming-strategy": ("POOLING", "Kafka runs full of transactional ids"),
            "properties.transaction.timeout.ms": (
                timeout_ms,
                "it gives up at another time than is checked",
            ),
        }
        for option, (value, danger) in wanted.items():
            if options.get(option) != value:
                yield Problem(
                    f"sink-{option.rsplit('.', 1)[-1]}",
                    f"{name} has {option} {options.get(option)!r}: {danger}. Set {value!r}.",
                )
        prefix = options.get("sink.transactional-id-prefix", "")
        if not prefix or prefix in prefixes:
            yield Problem(
                "sink-transactional-id",
                f"{name} has the transactional id prefix {prefix!r}, as {prefixes.get(prefix, 'nobody')} has: "
                "each would abort the other's transactions and lose them. Give each its own.",
            )
        prefixes[prefix] = name


def _source(c: PipelineConfiguration) -> Iterator[Problem]:
    for name, options in c.tables.items():
        if "scan.startup.mode" not in options:
            continue
        wanted = {
            "scan.startup.mode": (
                "earliest-offset",
                "what was sent before the first start is lost",
            ),
            "properties.isolation.level": (
                "read_committed",
                "what its producer took back is counted",
            ),
            "format": ("raw", "what the format cannot parse is lost without a reason"),
        }
        for option, (value, danger) in wanted.items():
            if options.get(option) != value:
                yield Problem(
                    f"source-{option.rsplit('.', 1)[-1]}",
                    f"{name} has {option} {options.get(option)!r}: {danger}. Set {value!r}.",
                )


def _pruning(c: PipelineConfiguration) -> Iterator[Problem]:
    options = c.tables.get("account_entries", {})
    if options.get("key.fields") != "account_id" or options.get("key.format") != "raw":
        yield Problem(
            "entries-key",
            "account_entries is not keyed by the raw account_id: Pinot would look for an account in the wrong "
            "partition and answer too little. Set key.fields and key.format.",
        )
    table = c.pinot.get("account_entries")
    if table is None or not table.partition_column:
        return  # without pruning nothing is looked for in the wrong place
    if table.partitions != c.entries.partitions:
        yield Problem(
            "pinot-partitions",
            f"account-entries has {c.entries.partitions} partitions, Pinot prunes by {table.partitions}: it "
            "would answer too little. Make numPartitions the topic's.",
        )
    if (table.partition_column, table.partition_function.lower()) != ("account_id", "murmur"):
        yield Problem(
            "pinot-partition-function",
            f"Pinot prunes by {table.partition_function}({table.partition_column}), Kafka places by Java's "
            "murmur2 of account_id: it would answer too little. Set Murmur on account_id.",
        )


def _pinot_reads(c: PipelineConfiguration) -> Iterator[Problem]:
    for name, table in c.pinot.items():
        if table.isolation_level != "read_committed":
            yield Problem(
                "pinot-isolation",
                f"Pinot reads {name} with {table.isolation_level or 'no isolation level'}: entries of an "
                "aborted transaction count twice. Set stream.kafka.isolation.level to read_committed.",
            )
        if table.offset_reset not in ("smallest", "earliest"):
            yield Problem(
                "pinot-offset-reset",
                f"Pinot begins {name} at {table.offset_reset!r}: what was written before is lost. "
                "Set auto.offset.reset to smallest.",
            )
        topic = c.entries if name == "account_entries" else c.rejected
        looked_at = c.dedup_window + c.outage_reserve + c.occurred_back
        if (
            name == "account_entries"
            and table.retention is not None
            and table.retention < looked_at
        ):
            yield Problem(
                "pinot-forgets",
                f"Pinot forgets entries {table.retention} after they happened, and the audit looks at what came within "
                f"{c.dedup_window + c.outage_reserve} and may have happened {c.occurred_back} before: it would call "
                f"them lost. Raise the table's retention to {looked_at} or more.",
            )
        if topic.retention is not None and topic.retention < 2 * table.flush_after:
            yield Problem(
                "pinot-retention",
                f"Kafka deletes what {name} reads after {topic.retention}, but Pinot holds rows in memory alone "
                f"for up to {table.flush_after}: a server that dies then loses them. Raise retention.ms.",
            )


def _seconds(text: str) -> timedelta:
    number, _, unit = text.partition(" ")
    return timedelta(**{{"s": "seconds", "ms": "milliseconds"}[unit]: int(number)})


RULES: Final[tuple[Rule, ...]] = (
    _times,
    _retention,
    _checkpoints,
    _sinks,
    _source,
    _pruning,
    _pinot_reads,
    *broker_check.RULES,
)
