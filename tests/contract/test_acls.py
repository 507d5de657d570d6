"""The ACLs keep to their schema, name what there is, and give each pipeline its own and nothing of another's."""

from __future__ import annotations

import json

import jsonschema
import pytest

from stream_jobs.job.settings import JobSettings
from stream_jobs.tools.rejects import REPLAYED, TRANSACTIONAL_ID
from stream_jobs.topics.acls.rules import CLUSTER, FILE, Acl, changes, parts, wanted
from stream_jobs.topics.names import NAMES, Names, beside
from stream_jobs.topics.topic import Environment, load_topics

PARTS = parts()
OWN = {part: f"User:{part}" for part in PARTS}


def _of(part: str, kind: str, operation: str, names: Names = NAMES) -> set[str]:
    acls = wanted(PARTS, names, {part: f"User:{part}"})
    return {acl.name for acl in acls if (acl.kind, acl.operation) == (kind, operation)}


def test_the_file_keeps_to_its_schema() -> None:
    schema = json.loads((FILE.parent / "acls.schema.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(PARTS)


def test_every_topic_has_a_writer_and_a_reader_and_there_are_no_others() -> None:
    topics = {topic.name for topic in load_topics(Environment.LOCAL)}
    for operation in ("READ", "WRITE"):
        assert set().union(*(_of(part, "TOPIC", operation) for part in PARTS)) == topics


def test_raw_events_are_written_by_producers_and_by_those_who_send_them_again() -> None:
    writers = {part for part in PARTS if NAMES.transactions_topic in _of(part, "TOPIC", "WRITE")}
    assert writers == {"producer", "tools"}
    assert _of("producer", "TOPIC", "READ") == set()


def test_entries_are_written_by_the_job_by_a_repair_and_out_of_the_archive() -> None:
    for topic in NAMES.outcomes:
        writers = {part for part in PARTS if topic in _of(part, "TOPIC", "WRITE")}
        assert writers == {"job", "repair", "archive"}


def test_who_waits_for_an_operator_of_kafka_may_look_at_every_topic_and_at_nothing_more() -> None:
    topics = {topic.name for topic in load_topics(Environment.LOCAL)}
    acls = wanted(PARTS, NAMES, {"bootstrap": "User:bootstrap"})
    looks = {
        ("TOPIC", topic, each) for topic in topics for each in ("DESCRIBE", "DESCRIBE_CONFIGS")
    }
    assert {(acl.kind, acl.name, acl.operation) for acl in acls} == {
        *looks,
        ("CLUSTER", CLUSTER, "DESCRIBE_CONFIGS"),
    }


def test_pinot_reads_the_topics_of_its_tables_and_nothing_else() -> None:
    tables = {*NAMES.tables, NAMES.progress_topic, NAMES.audit_topic}
    acls = wanted(PARTS, NAMES, {"pinot": "User:pinot"})
    assert {(acl.kind, acl.name, acl.operation) for acl in acls} == {
        ("TOPIC", topic, "READ") for topic in tables
    }


def test_transactional_ids_are_those_that_are_used() -> None:
    literals = JobSettings("k:1", "f:1", FILE, "file:///c", "file:///s").sql_literals()
    used = {
        value.strip("'") for name, value in literals.items() if name.endswith("_transactional_id")
    }
    assert _of("job", "TRANSACTIONAL_ID", "WRITE") == used
    assert _of("tools", "TRANSACTIONAL_ID", "WRITE") == {TRANSACTIONAL_ID}
    assert _of("repair", "TRANSACTIONAL_ID", "WRITE") == {f"{NAMES.job}-repair"}
    assert _of("archive", "TRANSACTIONAL_ID", "WRITE") == {f"{NAMES.job}-fill"}


@pytest.mark.parametrize("names", [NAMES, beside("blue")])
def test_of_several_trackers_and_audits_each_may_hold_the_lease_and_publish_by_it(
    names: Names,
) -> None:
    for part, lease in (("tracker", names.tracker_lease), ("audit", names.audit_lease)):
        assert lease.group in _of(part, "GROUP", "READ", names)
        assert lease.topic in _of(part, "TOPIC", "READ", names)
        assert lease.topic in _of(part, "TOPIC", "WRITE", names)
        assert _of(part, "TRANSACTIONAL_ID", "WRITE", names) == {lease.transactional_id}


@pytest.mark.parametrize("part", sorted(PARTS))
def test_a_second_pipeline_gets_its_own_names_and_shares_only_what_all_share(part: str) -> None:
    blue = beside("blue")
    first = wanted(PARTS, NAMES, {part: "User:x"})
    second = wanted(PARTS, blue, {part: "User:x"})
    assert len(first) == len(second)
    shared = {
        NAMES.transactions_topic,
        NAMES.erased_outcomes_topic,
        REPLAYED,
        TRANSACTIONAL_ID,
        CLUSTER,
    }
    shared |= {"topic-reader", "audit", f"{TRANSACTIONAL_ID}-gaps"}
    assert {acl.name for acl in first & second} <= shared
    prefixes = {acl.name for acl in first if acl.pattern == "PREFIXED"}
    covered = {acl.name for acl in second for prefix in prefixes if acl.name.startswith(prefix)}
    assert covered == set()  # no prefix of the first reaches into the second


def test_what_is_missing_is_added_and_what_is_too_much_of_our_principals_is_taken() -> None:
    needed = wanted(PARTS, NAMES, OWN)
    stray = Acl("User:pinot", "TOPIC", NAMES.transactions_topic, "LITERAL", "WRITE")
    of_others = Acl("User:somebody", "TOPIC", "elsewhere", "LITERAL", "READ")
    lacking = min(needed)
    change = changes(needed, {*needed, stray, of_others} - {lacking}, tuple(OWN.values()))
    assert change.missing == (lacking,)
    assert change.superfluous == (stray,)
    assert changes(needed, needed, tuple(OWN.values())) == changes(set(), set(), ())
