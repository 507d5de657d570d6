"""Applying topics: what is created, altered, left alone and refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from stream_jobs.topics.names import beside
from stream_jobs.topics.topic import (
    Environment,
    LiveTopic,
    PartitionCountError,
    Topic,
    apply_topics,
    await_topics,
    load_topics,
)

TOPICS = load_topics(Environment.LOCAL)


class FakeAdmin:
    """A cluster in memory, which adds settings of its own."""

    def __init__(self) -> None:
        self.live: dict[str, LiveTopic] = {}
        self.calls: list[str] = []

    def live_topics(self, names: Sequence[str]) -> Mapping[str, LiveTopic]:
        return {name: self.live[name] for name in names if name in self.live}

    def create(self, topics: Sequence[Topic]) -> None:
        self.calls += [f"create {topic.name}" for topic in topics]
        for topic in topics:
            config = {"segment.bytes": "1073741824", **topic.config}
            self.live[topic.name] = LiveTopic(topic.partitions, config)

    def alter_config(self, name: str, config: Mapping[str, str]) -> None:
        self.calls.append(f"alter {name}")
        live = self.live[name]
        self.live[name] = replace(live, config={**live.config, **config})


def test_missing_topics_are_created_and_a_second_time_nothing_happens() -> None:
    admin = FakeAdmin()
    assert all(change.created for change in apply_topics(TOPICS, admin))
    admin.calls.clear()
    assert not any(change.changed for change in apply_topics(TOPICS, admin))
    assert admin.calls == []


def test_a_differing_setting_is_altered_and_said() -> None:
    admin = FakeAdmin()
    apply_topics(TOPICS, admin)
    admin.alter_config("transactions", {"retention.ms": "5"})
    admin.calls.clear()
    changes = apply_topics(TOPICS, admin)
    assert [change.name for change in changes if change.changed] == ["transactions"]
    assert [line for change in changes for line in change.differences] == ["retention.ms: 5 -> -1"]
    assert admin.calls == ["alter transactions"]
    assert admin.live["transactions"].config["retention.ms"] == "-1"


def test_another_partition_count_is_refused_before_anything_is_changed() -> None:
    admin = FakeAdmin()
    admin.live["transactions"] = LiveTopic(8, {})
    with pytest.raises(PartitionCountError, match="8 partitions and its file says 4"):
        apply_topics(TOPICS, admin)
    assert admin.calls == []


def test_a_dry_run_says_and_does_nothing() -> None:
    admin = FakeAdmin()
    assert all(change.created for change in apply_topics(TOPICS, admin, dry_run=True))
    assert admin.calls == []


def test_production_has_its_own_values() -> None:
    local = {topic.name: topic for topic in TOPICS}["transactions"]
    production = {t.name: t for t in load_topics(Environment.PRODUCTION)}["transactions"]
    assert (local.partitions, production.partitions) == (4, 64)
    assert (local.config["retention.ms"], production.config["retention.ms"]) == ("-1", "1209600000")
    assert local.config["cleanup.policy"] == production.config["cleanup.policy"] == "delete"


def test_a_second_pipeline_has_a_topic_of_its_own_for_all_but_what_is_of_raw_events() -> None:
    called = beside("two").called
    for name in ("transactions", "erased-outcomes"):
        assert called.pop(name) == name
    topics = {topic.name for topic in TOPICS} - {"rejects-replayed"}
    assert {name: called[name] for name in called if name in topics} == {
        name: f"{name}-two" for name in topics - {"transactions", "erased-outcomes"}
    }


def test_what_somebody_else_applies_is_waited_for_and_not_changed() -> None:
    admin = FakeAdmin()
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 2:
            apply_topics(TOPICS[1:], admin)
        if len(slept) == 3:
            apply_topics(TOPICS, admin)
            admin.calls.clear()

    changes = await_topics(TOPICS, admin, 60.0, lambda: sum(slept), sleep)
    assert len(slept) == 3
    assert [change.name for change in changes] == [topic.name for topic in TOPICS]
    assert not any(change.changed for change in changes)
    assert admin.calls == []


def test_what_is_not_there_in_time_is_told_and_another_partition_count_at_once() -> None:
    admin = FakeAdmin()
    slept: list[float] = []
    changes = await_topics(TOPICS, admin, 5.0, lambda: sum(slept), slept.append)
    assert sum(slept) == 6.0
    assert all(change.created for change in changes)
    assert admin.calls == []
    admin.live["transactions"] = LiveTopic(8, {})
    with pytest.raises(PartitionCountError):
        await_topics(TOPICS, admin, 5.0, lambda: sum(slept), slept.append)
    assert sum(slept) == 6.0
