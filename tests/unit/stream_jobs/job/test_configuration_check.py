"""A configuration that could lose or double money is refused, and says which; ours is not."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from pinot_config.tables import load_tables
from stream_jobs.job.broker_check import INTERNAL
from stream_jobs.job.configuration import PipelineConfiguration
from stream_jobs.job.configuration_check import ConfigurationError, problems, refuse
from stream_jobs.job.configuration_facts import FactsError, configuration
from stream_jobs.job.settings import JobSettings
from stream_jobs.job.statements import statements
from stream_jobs.topics.topic import Environment, LiveTopic, load_topics

SETTINGS = JobSettings("kafka:9092", "flink:8081", Path("python"), "file:///c", "file:///s")
DAYS = timedelta(days=1)
OVERLAID: dict[Environment, tuple[str, ...]] = {
    Environment.LOCAL: (),
    Environment.CLUSTER: (),
    Environment.PRODUCTION: ("production",),
}


@dataclass(frozen=True)
class Cluster:
    """A Kafka whose topics are as their files say."""

    topics: Mapping[str, LiveTopic]

    def live_topics(self, names: Sequence[str]) -> Mapping[str, LiveTopic]:
        return {name: topic for name, topic in self.topics.items() if name in names}

    def broker_setting(self, name: str) -> str:
        return {
            "transaction.max.timeout.ms": str(14 * 86_400_000),
            "transactional.id.expiration.ms": str(24 * 86_400_000),
            "offsets.retention.minutes": str(30 * 24 * 60),
        }[name]


def cluster(environment: Environment) -> Cluster:
    shipped = load_topics(environment)
    topics = {t.name: LiveTopic(t.partitions, t.config, t.replication) for t in shipped}
    raw = next(topic for topic in shipped if topic.name == "transactions")
    kept = {**raw.config, "cleanup.policy": "compact", "retention.ms": "604800000"}
    own = {name: LiveTopic(50, kept, raw.replication) for name in INTERNAL}
    return Cluster({**topics, **own})


def as_shipped(environment: Environment, **flink: str) -> PipelineConfiguration:
    kafka = cluster(environment)
    partitions = str(kafka.topics["account-entries"].partitions)
    pinot: dict[str, Any] = {
        table.name: table.table_config
        for table in load_tables({"ACCOUNT_ENTRIES_PARTITIONS": partitions}, OVERLAID[environment])
        if table.name != "pipeline_progress"
    }
    settings = replace(SETTINGS, environment=environment)
    return configuration(settings, statements(settings), kafka, pinot, flink)


GOOD = as_shipped(Environment.PRODUCTION)


@pytest.mark.parametrize("environment", list(Environment))
def test_what_is_shipped_could_neither_lose_nor_double(environment: Environment) -> None:
    assert problems(as_shipped(environment)) == []
    refuse(as_shipped(environment))


def test_the_clusters_file_holds_where_the_job_says_nothing() -> None:
    assert as_shipped(Environment.LOCAL, **{"some.option": "x"}).flink["some.option"] == "x"
    unaligned = {f"{CHECKPOINTING}.unaligned.enabled": "true"}
    assert problems(as_shipped(Environment.LOCAL, **unaligned)) == []  # the job says false


def test_what_is_good_enough_locally_is_not_in_production() -> None:
    local = as_shipped(Environment.LOCAL)
    found = {problem.rule for problem in problems(replace(local, safety=GOOD.safety))}
    assert found == {"replication", "min-in-sync"}


def test_the_facts_are_those_of_the_files() -> None:
    assert set(GOOD.tables) == {
        "transactions",
        "account_entries",
        "transactions_rejected",
        "transactions_uncounted",
    }
    assert GOOD.tables["account_entries"]["key.fields"] == "account_id"
    assert GOOD.pinot["account_entries"].flush_after == timedelta(hours=24)
    assert GOOD.pinot["account_entries"].retention is None
    assert GOOD.pinot["transactions_rejected"].retention == 400 * DAYS
    assert GOOD.pinot["account_entries"].partitions == GOOD.entries.partitions == 64
    assert GOOD.raw.retention == 14 * DAYS
    assert GOOD.raw.oldest == DAYS
    assert as_shipped(Environment.LOCAL).raw.oldest is None


def test_a_missing_topic_is_named() -> None:
    kafka = cluster(Environment.LOCAL)
    fewer = {name: topic for name, topic in kafka.topics.items() if name != "account-entries"}
    with pytest.raises(FactsError, match="account-entries"):
        configuration(SETTINGS, statements(SETTINGS), replace(kafka, topics=fewer), {})


def test_a_refusal_tells_every_problem() -> None:
    both = _sink("sink.delivery-guarantee", "none")(
        _flink("execution.checkpointing.mode", "x")(GOOD)
    )
    with pytest.raises(ConfigurationError, match=r"(?s)checkpoint-mode.*sink-delivery-guarantee"):
        refuse(both)


Mutation = Callable[[PipelineConfiguration], PipelineConfiguration]


def _set(**changes: Any) -> Mutation:
    return lambda c: replace(c, **changes)


def _flink(option: str, value: str | None) -> Mutation:
    def mutate(c: PipelineConfiguration) -> PipelineConfiguration:
        kept = {name: told for name, told in c.flink.items() if name != option}
        return replace(c, flink=kept if value is None else {**kept, option: value})

    return mutate


def _table(table: str, option: str, value: str | None) -> Mutation:
    def mutate(c: PipelineConfiguration) -> PipelineConfiguration:
        options = {name: told for name, told in c.tables[table].items() if name != option}
        if value is not None:
            options[option] = value
        return replace(c, tables={**c.tables, table: options})

    return mutate


def _sink(option: str, value: str | None) -> Mutation:
    return _table("account_entries", option, value)


def _pinot(table: str = "account_entries", **changes: Any) -> Mutation:
    return lambda c: replace(c, pinot={**c.pinot, table: replace(c.pinot[table], **changes)})


def _raw(**changes: Any) -> Mutation:
    return lambda c: replace(c, raw=replace(c.raw, **changes))


def _entries(**changes: Any) -> Mutation:
    return lambda c: replace(c, entries=replace(c.entries, **changes))


def _broker(**changes: Any) -> Mutation:
    return lambda c: replace(c, broker=replace(c.broker, **changes))


def _internal(name: str, **changes: Any) -> Mutation:
    def mutate(c: PipelineConfiguration) -> PipelineConfiguration:
        topic = replace(c.broker.internal[name], **changes)
        return replace(c, broker=replace(c.broker, internal={**c.broker.internal, name: topic}))

    return mutate


CHECKPOINTING = "execution.checkpointing"
MUTANTS: list[tuple[str, Mutation]] = [
    ("transaction-timeout-short", _set(transaction_timeout=timedelta(seconds=59))),
    ("transaction-timeout-short", _set(checkpoint_interval=timedelta(days=1))),
    ("broker-transaction-limit", _broker(transaction_limit=timedelta(minutes=15))),
    ("transactional-id-life", _broker(transactional_id_life=7 * DAYS)),
    ("transactional-id-life", _broker(transactional_id_life=14 * DAYS)),
    ("offsets-retention", _broker(offsets_kept=7 * DAYS)),
    ("replication", _raw(replication=2)),
    ("replication", _entries(replication=1)),
    ("replication", _internal("__transaction_state", replication=1)),
    ("replication", _internal("__consumer_offsets", replication=2)),
    ("min-in-sync", _entries(min_in_sync=1)),
    ("min-in-sync", _internal("__transaction_state", min_in_sync=1)),
    ("unclean-election", _entries(unclean_election=True)),
    ("unclean-election", _internal("__transaction_state", unclean_election=True)),
    ("internal-topic-deleted", _internal("__transaction_state", cleanup_policy="delete")),
    ("internal-topic-deleted", _internal("__consumer_offsets", cleanup_policy="compact,delete")),
    ("record-limit-small", _raw(max_record=16_000)),
    ("record-limit-unpacked", _raw(max_unpacked=None)),
    ("record-limit-unpacked", _raw(max_unpacked=2**30)),
    ("retention-by-event-time", _entries(timestamp_type="CreateTime")),
    ("outcomes-retention", _set(uncounted=replace(GOOD.uncounted, retention=3 * DAYS))),
    ("outcomes-retention", _entries(retention=None)),
    ("window-below-outage", _set(dedup_window=13 * DAYS)),
    ("state-ttl", _flink("table.exec.state.ttl", "3600 s")),
    ("state-ttl", _flink("table.exec.state.ttl", f"{14 * 86_400} s")),  # no room for an outage
    ("state-ttl", _set(outage_reserve=2 * DAYS)),
    ("state-ttl", _flink("table.exec.state.ttl", "1 ms")),
    ("raw-retention-short", _raw(retention=7 * DAYS)),
    ("raw-retention-long", _raw(retention=15 * DAYS)),
    ("raw-older-than-kept", _raw(oldest=None)),
    ("raw-older-than-kept", _raw(oldest=14 * DAYS)),
    ("compacted-topic", _raw(cleanup_policy="compact")),
    ("compacted-topic", _entries(cleanup_policy="compact,delete")),
    ("event-time-overwritten", _raw(timestamp_type="LogAppendTime")),
    ("checkpoint-mode", _flink(f"{CHECKPOINTING}.mode", "AT_LEAST_ONCE")),
    ("checkpoint-mode", _flink(f"{CHECKPOINTING}.mode", None)),
    ("unaligned-checkpoints", _flink(f"{CHECKPOINTING}.unaligned.enabled", "true")),
    (
        "checkpoints-deleted",
        _flink(f"{CHECKPOINTING}.externalized-checkpoint-retention", "DELETE_ON_CANCELLATION"),
    ),
    (
        "checkpoints-deleted",
        _flink(f"{CHECKPOINTING}.externalized-checkpoint-retention", None),
    ),
    ("max-parallelism", _set(parallelism=129)),
    ("max-parallelism", _flink("pipeline.max-parallelism", None)),
    ("sink-delivery-guarantee", _sink("sink.delivery-guarantee", "at-least-once")),
    ("sink-delivery-guarantee", _sink("sink.delivery-guarantee", None)),
    (
        "sink-delivery-guarantee",
        _table("transactions_rejected", "sink.delivery-guarantee", "none"),
    ),
    ("sink-transaction-naming-strategy", _sink("sink.transaction-naming-strategy", None)),
    ("sink-ms", _sink("properties.transaction.timeout.ms", "3600000")),
    ("sink-transactional-id", _sink("sink.transactional-id-prefix", None)),
    (
        "sink-transactional-id",
        _table("transactions_rejected", "sink.transactional-id-prefix", "account-entries-entries"),
    ),
    ("source-mode", _table("transactions", "scan.startup.mode", "latest-offset")),
    ("source-level", _table("transactions", "properties.isolation.level", None)),
    ("source-format", _table("transactions", "format", "json")),
    ("entries-key", _sink("key.fields", "counterparty_id")),
    ("entries-key", _sink("key.format", "json")),
    ("pinot-partitions", _entries(partitions=32)),
    ("pinot-partitions", _pinot(partitions=4)),
    ("pinot-partition-function", _pinot(partition_function="Modulo")),
    ("pinot-partition-function", _pinot(partition_column="counterparty_id")),
    ("pinot-isolation", _pinot(isolation_level="read_uncommitted")),
    ("pinot-isolation", _pinot("transactions_rejected", isolation_level="")),
    ("pinot-offset-reset", _pinot(offset_reset="largest")),
    ("pinot-forgets", _pinot(retention=44 * DAYS)),
    ("pinot-retention", _entries(retention=timedelta(hours=6))),
]


@pytest.mark.parametrize(
    ("rule", "mutate"), MUTANTS, ids=[f"{n}-{rule}" for n, (rule, _) in enumerate(MUTANTS)]
)
def test_a_dangerous_configuration_is_refused(rule: str, mutate: Mutation) -> None:
    found = problems(mutate(GOOD))
    assert rule in [problem.rule for problem in found]
    assert all(problem.message.rstrip().endswith(".") for problem in found)


@pytest.mark.parametrize(
    "mutate",
    [
        _flink("table.exec.state.ttl", None),  # ids are remembered for ever
        _raw(retention=None),
        _pinot(retention=45 * DAYS),
        _pinot("transactions_rejected", retention=DAYS),
        _pinot(partition_column="", partition_function="", partitions=0),
        _set(transaction_timeout=timedelta(minutes=1), tables={}),
    ],
    ids=[
        "no-ttl",
        "kept-for-ever",
        "entries-forgotten",
        "rejected-forgotten",
        "no-pruning",
        "short-outages",
    ],
)
def test_what_is_merely_unusual_is_not_refused(mutate: Mutation) -> None:
    allowed = {"entries-key"}  # of a configuration without tables
    assert {problem.rule for problem in problems(mutate(GOOD))} <= allowed
