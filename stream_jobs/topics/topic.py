"""The Kafka topics: their files as frozen dataclasses, and applying them to a cluster; safe to run twice."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

import yaml

FOLDER = Path(__file__).resolve().parent
LOOK_EVERY_S = 2.0


class Environment(StrEnum):
    """For which cluster the values of a file are taken; `CLUSTER` is several nodes on one machine."""

    LOCAL = "local"
    CLUSTER = "cluster"
    PRODUCTION = "production"


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic as one environment has it; `config` in Kafka's own names and values."""

    name: str
    purpose: str
    partitions: int
    replication: int
    config: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class LiveTopic:
    """One topic as the cluster has it; `replication` is that of the partition with the fewest replicas."""

    partitions: int
    config: Mapping[str, str]
    replication: int = 1


@dataclass(frozen=True, slots=True)
class TopicChange:
    """What applying did to one topic; `differences` has one `key: old -> new` for each altered setting."""

    name: str
    created: bool
    differences: tuple[str, ...] = ()

    @property
    def changed(self) -> bool:
        return self.created or bool(self.differences)


class PartitionCountError(Exception):
    """A topic exists with another number of partitions than its file says."""


class TopicAdmin(Protocol):
    """What applying asks of a cluster."""

    def live_topics(self, names: Sequence[str]) -> Mapping[str, LiveTopic]:
        """Those of `names` that exist."""

    def create(self, topics: Sequence[Topic]) -> None: ...

    def alter_config(self, name: str, config: Mapping[str, str]) -> None: ...


def load_topics(environment: Environment, folder: Path = FOLDER) -> tuple[Topic, ...]:
    """Every topic file of `folder`, by name, with the values of `environment`."""
    return tuple(
        _topic(yaml.safe_load(file.read_text(encoding="utf-8")), environment)
        for file in sorted(folder.glob("*.yaml"))
    )


def apply_topics(
    topics: Iterable[Topic], admin: TopicAdmin, *, dry_run: bool = False
) -> list[TopicChange]:
    """Creates what is missing and alters what differs; nothing is changed if any partition count differs.

    Raises PartitionCountError: with another count keys fall into other partitions than the segments built
    before say, and pruning would under-count.
    """
    wanted = list(topics)
    live = admin.live_topics([topic.name for topic in wanted])
    for topic in wanted:
        _refuse_other_partition_count(topic, live.get(topic.name))
    changes = [_change(topic, live.get(topic.name)) for topic in wanted]
    if not dry_run:
        admin.create([topic for topic in wanted if topic.name not in live])
        for topic, change in zip(wanted, changes, strict=True):
            if change.differences:
                admin.alter_config(topic.name, topic.config)
    return changes


def await_topics(
    topics: Iterable[Topic],
    admin: TopicAdmin,
    limit_s: float,
    clock_s: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> list[TopicChange]:
    """Waits until somebody else has applied them, at most `limit_s`; what differs at the end, and changes nothing.

    Raises PartitionCountError as applying does: that does not get better.
    """
    wanted = list(topics)
    until_s = clock_s() + limit_s
    while True:
        changes = apply_topics(wanted, admin, dry_run=True)
        if not any(each.changed for each in changes) or clock_s() >= until_s:
            return changes
        sleep(LOOK_EVERY_S)


def _topic(file: Mapping[str, Any], environment: Environment) -> Topic:
    config = {
        key: str(setting["both"] if "both" in setting else _of(setting, environment))
        for key, setting in file["config"].items()
    }
    return Topic(
        file["name"],
        file["purpose"],
        _of(file["partitions"], environment),
        _of(file["replication"], environment),
        config,
    )


def _of(values: Mapping[str, Any], environment: Environment) -> Any:
    """The value of an environment: a cluster on one machine differs from one node in little."""
    return values.get(environment, values[Environment.LOCAL])


def _refuse_other_partition_count(topic: Topic, live: LiveTopic | None) -> None:
    if live is not None and live.partitions != topic.partitions:
        raise PartitionCountError(
            f"topic {topic.name} has {live.partitions} partitions and its file says {topic.partitions}: the count "
            "is fixed once there is data; put the file back, or replay into a new topic and table"
        )


def _change(topic: Topic, live: LiveTopic | None) -> TopicChange:
    if live is None:
        return TopicChange(topic.name, created=True)
    different = tuple(
        f"{key}: {live.config.get(key)} -> {value}"
        for key, value in topic.config.items()
        if live.config.get(key) != value
    )
    return TopicChange(topic.name, created=False, differences=different)
