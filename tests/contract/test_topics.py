"""The topic files are complete, say why, and agree with the tables and rules that depend on them."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import jsonschema
import pytest
import yaml

from gateway.settings import Settings
from pinot_config.tables import OVERLAYS, load_tables
from stream_jobs.events.dedup_window import DEFAULT_WINDOW
from stream_jobs.events.rejection import (
    MAX_REJECTED_BASE64_BYTES,
    MAX_REJECTED_TEXT_BYTES,
    kept_headers,
    kept_key,
)
from stream_jobs.events.settings import DEFAULT as EVENT_RULES
from stream_jobs.job.settings import JobSettings
from stream_jobs.pinot_stream import stream_of
from stream_jobs.tools.rejects import REPLAYED
from stream_jobs.topics.names import NAMES
from stream_jobs.topics.topic import FOLDER, Environment, Topic, load_topics

FILES = sorted(FOLDER.glob("*.yaml"))
SCHEMA = json.loads((FOLDER / "topic.schema.json").read_text())


def _topic(name: str, environment: Environment = Environment.LOCAL) -> Topic:
    return next(topic for topic in load_topics(environment) if topic.name == name)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_topic_file_keeps_to_the_schema_and_is_named_as_its_topic(file: Path) -> None:
    content = yaml.safe_load(file.read_text())
    jsonschema.Draft202012Validator(SCHEMA).validate(content)
    assert content["name"] == file.stem


def test_every_topic_has_a_file() -> None:
    names = {topic.name for topic in load_topics(Environment.LOCAL)}
    assert names == {
        *(NAMES.transactions_topic, *NAMES.outcomes),
        *(NAMES.progress_topic, NAMES.heartbeat_topic, NAMES.audit_topic),
        *(NAMES.erasures_topic, NAMES.erased_rows_topic, NAMES.erased_outcomes_topic),
        REPLAYED,
    }


@pytest.mark.parametrize("environment", list(Environment))
def test_what_was_erased_is_told_as_long_as_the_raw_events_that_it_is_of(
    environment: Environment,
) -> None:
    raw = _topic(NAMES.transactions_topic, environment)
    for name in (NAMES.erased_rows_topic, NAMES.erased_outcomes_topic):
        assert _topic(name, environment).config["retention.ms"] == raw.config["retention.ms"]


def test_raw_events_are_kept_as_long_as_ids_are_remembered() -> None:
    window = JobSettings.__dataclass_fields__["dedup_window"].default
    assert isinstance(window, timedelta)
    retention = _topic(NAMES.transactions_topic, Environment.PRODUCTION).config["retention.ms"]
    assert int(retention) == window.total_seconds() * 1000


def test_the_event_time_is_the_producers_and_nobody_elses() -> None:
    types = {
        topic.name: topic.config["message.timestamp.type"]
        for topic in load_topics(Environment.LOCAL)
    }
    assert types.pop(NAMES.transactions_topic) == "CreateTime"
    assert set(types.values()) == {"LogAppendTime"}


@pytest.mark.parametrize("environment", Environment)
def test_a_rejected_record_has_room_for_all_that_is_kept_of_it(environment: Environment) -> None:
    worst = {f"{number:04}" + "\x01" * 60: b"" for number in range(1_000)}
    value = {
        "payload": "\x01" * MAX_REJECTED_TEXT_BYTES,
        "payload_base64": "A" * (MAX_REJECTED_BASE64_BYTES * 4 // 3),
        "key_base64": kept_key(bytes(MAX_REJECTED_BASE64_BYTES)),
        "headers": kept_headers(worst),
        "detail": "\x01" * 200,
    }
    most = int(_topic(NAMES.rejected_topic, environment).config["max.message.bytes"])
    assert most > len(json.dumps(value)) + 16_384


@pytest.mark.parametrize("environment", Environment)
def test_a_record_is_no_larger_unpacked_than_it_may_be_packed(environment: Environment) -> None:
    config = _topic(NAMES.transactions_topic, environment).config
    assert config["max.decompressed.message.bytes"] == config["max.message.bytes"]


@pytest.mark.parametrize("environment", Environment)
def test_every_reader_of_the_source_gets_a_heartbeat(environment: Environment) -> None:
    raw, heartbeat = (
        _topic(NAMES.transactions_topic, environment),
        _topic(NAMES.heartbeat_topic, environment),
    )
    assert heartbeat.partitions == raw.partitions


def test_what_is_taken_in_late_is_read_before_it_is_deleted_and_before_windows_are_final() -> None:
    config = _topic(NAMES.transactions_topic, Environment.PRODUCTION).config
    late = timedelta(milliseconds=int(config["message.timestamp.before.max.ms"]))
    assert late + timedelta(days=13) <= timedelta(milliseconds=int(config["retention.ms"]))
    latest = EVENT_RULES.occurred_back + DEFAULT_WINDOW + late
    assert timedelta(days=Settings().final_after_days) >= latest


def test_pinot_partitions_entries_as_the_topic_does() -> None:
    entries = load_tables({})[0].table_config["tableIndexConfig"]["segmentPartitionConfig"]
    count = entries["columnPartitionMap"]["account_id"]["numPartitions"]
    assert count == _topic(NAMES.entries_topic).partitions


@pytest.mark.parametrize("overlays", [(), ("production",), OVERLAYS])
def test_a_table_keeps_rows_for_as_long_as_its_topic_keeps_records(
    overlays: tuple[str, ...],
) -> None:
    environment = Environment.PRODUCTION if overlays else Environment.LOCAL
    for table in load_tables({}, overlays):
        segments = table.table_config["segmentsConfig"]
        stream = stream_of(table.table_config)
        kept_ms = int(_topic(stream["stream.kafka.topic.name"], environment).config["retention.ms"])
        if "retentionTimeValue" in segments:
            assert segments["retentionTimeUnit"] == "DAYS"
            assert 0 < kept_ms <= int(segments["retentionTimeValue"]) * 86_400_000


def test_every_table_reads_a_topic_that_has_a_file() -> None:
    names = {topic.name for topic in load_topics(Environment.LOCAL)}
    for table in load_tables({}):
        assert (
            table.table_config["tableIndexConfig"]["streamConfigs"]["stream.kafka.topic.name"]
            in names
        )


def test_a_cluster_on_one_machine_has_its_own_values_where_a_file_says_so() -> None:
    local, cluster = (
        {topic.name: topic for topic in load_topics(environment)}
        for environment in (Environment.LOCAL, Environment.CLUSTER)
    )
    assert {topic.replication for topic in cluster.values()} == {3}
    assert (local["transactions"].partitions, cluster["transactions"].partitions) == (4, 16)
    assert (local["transactions"].replication, local["transactions-rejected"].partitions) == (1, 4)
    assert cluster["transactions-rejected"].partitions == 4
    production = {topic.name: topic for topic in load_topics(Environment.PRODUCTION)}
    key = "min.insync.replicas"
    assert {n: t.config[key] for n, t in cluster.items()} == {
        n: t.config[key] for n, t in production.items()
    }
    assert (
        cluster["account-entries"].config["retention.ms"]
        == local["account-entries"].config["retention.ms"]
    )
