"""Collects what is checked: the job's settings and SQL, Kafka's topics and broker, Pinot's table configs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol

from stream_jobs.job.broker_check import INTERNAL
from stream_jobs.job.configuration import (
    Broker,
    KafkaTopic,
    PinotTable,
    PipelineConfiguration,
    Safety,
)
from stream_jobs.job.settings import JobSettings
from stream_jobs.pinot_stream import stream_of
from stream_jobs.topics.names import NAMES
from stream_jobs.topics.topic import LiveTopic, load_topics

_TABLE = re.compile(r"CREATE TABLE (\w+) .*?\) WITH \((.*)\)\s*$", re.DOTALL)
_OPTION = re.compile(r"^\s*'((?:[^']|'')+)' = '((?:[^']|'')*)'", re.MULTILINE)
_PERIOD = re.compile(r"(\d+)([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_FOR_EVER_MS = 10**14
# Rows that no time-out flushes are held for as long as it takes to fill a segment: taken for a day.
NO_FLUSH_TIME = timedelta(days=1)


class FactsError(Exception):
    """Something to be checked is not there; the message names it."""


class Kafka(Protocol):
    """What is asked of a cluster; kafka_admin.KafkaTopicAdmin does it."""

    def live_topics(self, names: Sequence[str]) -> Mapping[str, LiveTopic]: ...

    def broker_setting(self, name: str) -> str: ...


@dataclass(frozen=True, slots=True)
class _Topics:
    raw: KafkaTopic
    entries: KafkaTopic
    rejected: KafkaTopic
    uncounted: KafkaTopic


def configuration(
    settings: JobSettings,
    statements: Iterable[str],
    kafka: Kafka,
    pinot_table_configs: Mapping[str, Mapping[str, Any]],
    cluster: Mapping[str, str] | None = None,
) -> PipelineConfiguration:
    """All facts together; `statements` have their placeholders filled in.

    `cluster` is the Flink cluster's own configuration: it holds wherever the job's says nothing.

    Raises FactsError if a topic is missing, and what `kafka` raises.
    """
    topics = _topics(settings, kafka)
    return PipelineConfiguration(
        dedup_window=settings.dedup_window,
        occurred_back=settings.rules.occurred_back,
        outage_reserve=settings.outage_reserve,
        transaction_timeout=settings.transaction_timeout,
        checkpoint_interval=settings.checkpoint_interval,
        parallelism=settings.parallelism,
        flink={**(cluster or {}), **settings.flink_configuration()},
        tables=table_options(statements),
        broker=_broker(kafka),
        safety=_safety(settings),
        raw=topics.raw,
        entries=topics.entries,
        rejected=topics.rejected,
        uncounted=topics.uncounted,
        pinot={name: pinot_table(config) for name, config in pinot_table_configs.items()},
    )


def table_options(statements: Iterable[str]) -> dict[str, dict[str, str]]:
    """The connector's options of every CREATE TABLE."""
    found = (_TABLE.search(_without_comments(statement)) for statement in statements)
    return {match[1]: dict(_OPTION.findall(match[2])) for match in found if match}


def pinot_table(config: Mapping[str, Any]) -> PinotTable:
    """The facts of one realtime table config."""
    index, stream = config["tableIndexConfig"], stream_of(config)
    columns = index.get("segmentPartitionConfig", {}).get("columnPartitionMap", {})
    column = next(iter(columns), "")
    partition: Mapping[str, Any] = columns.get(column, {})
    flush = stream.get("realtime.segment.flush.threshold.time", "")
    return PinotTable(
        isolation_level=stream.get("stream.kafka.isolation.level", ""),
        offset_reset=stream.get("stream.kafka.consumer.prop.auto.offset.reset", ""),
        partition_column=column,
        partition_function=partition.get("functionName", ""),
        partitions=int(partition.get("numPartitions", 0)),
        flush_after=_period(flush) if flush else NO_FLUSH_TIME,
        retention=_retention(config["segmentsConfig"]),
    )


def _retention(segments: Mapping[str, Any]) -> timedelta | None:
    if not segments.get("retentionTimeValue"):
        return None
    return timedelta(**{segments["retentionTimeUnit"].lower(): int(segments["retentionTimeValue"])})


def _topics(settings: JobSettings, kafka: Kafka) -> _Topics:
    names = (
        settings.names.transactions_topic,
        *settings.names.outcomes,
    )
    live = kafka.live_topics(names)
    missing = [name for name in names if name not in live]
    if missing:
        raise FactsError(
            f"Kafka has no topic {', '.join(missing)}: apply stream_jobs.topics first."
        )
    return _Topics(*(_topic(live[name]) for name in names))


def _topic(live: LiveTopic) -> KafkaTopic:
    retention_ms = int(live.config["retention.ms"])
    unpacked = live.config.get("max.decompressed.message.bytes")
    return KafkaTopic(
        live.partitions,
        None if retention_ms < 0 else timedelta(milliseconds=retention_ms),
        live.config["cleanup.policy"],
        live.config["message.timestamp.type"],
        live.replication,
        int(live.config.get("min.insync.replicas", "1")),
        live.config.get("unclean.leader.election.enable", "false") == "true",
        int(live.config["max.message.bytes"]),
        None if unpacked is None else int(unpacked),
        _bound(int(live.config.get("message.timestamp.before.max.ms", _FOR_EVER_MS))),
    )


def _bound(limit_ms: int) -> timedelta | None:
    """A limit of time; Kafka's word for none is the largest number that it has."""
    return None if limit_ms >= _FOR_EVER_MS else timedelta(milliseconds=limit_ms)


def _broker(kafka: Kafka) -> Broker:
    def least(name: str) -> int:
        return int(kafka.broker_setting(name))

    internal = {name: _topic(live) for name, live in kafka.live_topics(INTERNAL).items()}
    return Broker(
        timedelta(milliseconds=least("transaction.max.timeout.ms")),
        timedelta(milliseconds=least("transactional.id.expiration.ms")),
        timedelta(minutes=least("offsets.retention.minutes")),
        internal,
    )


def _safety(settings: JobSettings) -> Safety:
    """As the file of the raw topic has it where this runs."""
    raw = next(
        topic
        for topic in load_topics(settings.environment)
        if topic.name == NAMES.transactions_topic
    )
    return Safety(raw.replication, int(raw.config["min.insync.replicas"]))


def _without_comments(statement: str) -> str:
    return "\n".join(line for line in statement.splitlines() if not line.strip().startswith("--"))


def _period(text: str) -> timedelta:
    parts = {_UNITS[unit]: int(number) for number, unit in _PERIOD.findall(text)}
    return timedelta(**parts)
