"""The topic files are complete, say why, and agree with the tables and rules that depend on them."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import jsonschema
import pytest
import yaml

from pinot_config.tables import load_tables
from stream_jobs.audit.settings import AUDIT_TOPIC
from stream_jobs.event_rules import MAX_REJECTED_BASE64_BYTES
from stream_jobs.job_settings import HEARTBEAT_TOPIC, JobSettings
from stream_jobs.progress import PROGRESS_TOPIC
from stream_jobs.progress_tracker import ENTRIES, REJECTED, TRANSACTIONS
from stream_jobs.topics import FOLDER, Environment, Topic, load_topics

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
        *(TRANSACTIONS, ENTRIES, REJECTED),
        *(PROGRESS_TOPIC, HEARTBEAT_TOPIC, AUDIT_TOPIC),
    }


def test_raw_events_are_kept_as_long_as_ids_are_remembered() -> None:
    window = JobSettings.__dataclass_fields__["dedup_window"].default
    assert isinstance(window, timedelta)
    retention = _topic(TRANSACTIONS, Environment.PRODUCTION).config["retention.ms"]
    assert int(retention) == window.total_seconds() * 1000


def test_the_event_time_is_the_producers_and_nobody_elses() -> None:
    types = {
        topic.name: topic.config["message.timestamp.type"]
        for topic in load_topics(Environment.LOCAL)
    }
    assert types.pop(TRANSACTIONS) == "CreateTime"
    assert set(types.values()) == {"LogAppendTime"}


@pytest.mark.parametrize("environment", Environment)
def test_a_rejected_record_has_room_for_its_bytes_in_base64(environment: Environment) -> None:
    most = int(_topic(REJECTED, environment).config["max.message.bytes"])
    assert most > MAX_REJECTED_BASE64_BYTES * 4 / 3 + 16_384


@pytest.mark.parametrize("environment", Environment)
def test_every_reader_of_the_source_gets_a_heartbeat(environment: Environment) -> None:
    raw, heartbeat = _topic(TRANSACTIONS, environment), _topic(HEARTBEAT_TOPIC, environment)
    assert heartbeat.partitions == raw.partitions


def test_pinot_partitions_entries_as_the_topic_does() -> None:
    entries = load_tables({})[0].table_config["tableIndexConfig"]["segmentPartitionConfig"]
    count = entries["columnPartitionMap"]["account_id"]["numPartitions"]
    assert count == _topic(ENTRIES).partitions


def test_every_table_reads_a_topic_that_has_a_file() -> None:
    names = {topic.name for topic in load_topics(Environment.LOCAL)}
    for table in load_tables({}):
        assert (
            table.table_config["tableIndexConfig"]["streamConfigs"]["stream.kafka.topic.name"]
            in names
        )
