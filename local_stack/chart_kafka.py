"""Topics and ACLs as the chart has them for an operator of Kafka: written from their files, with names left open.

`{entriesTopic}` stands for what a pipeline calls the topic of entries, `{suffix}` for what one beside the first appends.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any, Final

import yaml

from local_stack.settings import CHECKOUT
from stream_jobs.topics.acls.rules import Acl, parts, wanted
from stream_jobs.topics.names import NAMES, Names, beside
from stream_jobs.topics.topic import Environment, Topic, load_topics

FILE: Final = CHECKOUT / "charts" / "payment-analytics" / "files" / "kafka.yaml"
ENVIRONMENTS: Final = (Environment.PRODUCTION, Environment.LOCAL)
"""Those that `bootstrap.environment` may be."""
SUFFIX: Final = "{suffix}"
KINDS: Final = {
    "TOPIC": "topic",
    "GROUP": "group",
    "TRANSACTIONAL_ID": "transactionalId",
    "CLUSTER": "cluster",
}
PATTERNS: Final = {"LITERAL": "literal", "PREFIXED": "prefix"}
OPERATIONS: Final = {
    "READ": "Read",
    "WRITE": "Write",
    "DESCRIBE": "Describe",
    "DESCRIBE_CONFIGS": "DescribeConfigs",
}
"""As Strimzi's resources call what Kafka calls so."""


def camel(name: str) -> str:
    """`entries_topic` as the chart's values have it."""
    first, *rest = name.split("_")
    return first + "".join(map(str.title, rest))


def open_names() -> dict[str, str]:
    """What each name is, by what the values call it; tables have none, as the suffix alone says theirs."""
    second = beside("x")
    return {
        camel(each.name): getattr(NAMES, each.name)
        + (SUFFIX if _differs(each.name, second) else "")
        for each in fields(Names)
        if not each.name.endswith("_table")
    }


def text() -> str:
    """`files/kafka.yaml` as it should be."""
    said = {
        "names": open_names(),
        "topics": {
            str(environment): [_topic(topic) for topic in load_topics(environment)]
            for environment in ENVIRONMENTS
        },
        "users": {part: _acls(part) for part in parts()},
    }
    head = (
        "# Topics and ACLs, with names left open. ./dev docs writes it from stream_jobs/topics.\n"
    )
    return head + yaml.safe_dump(said, sort_keys=False, default_flow_style=None, width=1_000)


_OPEN: Final = Names(**{each.name: f"{{{camel(each.name)}}}" for each in fields(Names)})


def _differs(name: str, other: Names) -> bool:
    return bool(getattr(other, name) != getattr(NAMES, name))


def _topic(topic: Topic) -> dict[str, Any]:
    """`own`: a pipeline beside the first one has one of its own."""
    called = _OPEN.called.get(topic.name, topic.name)
    own = SUFFIX in open_names().get(called.strip("{}"), "")
    return {
        "resource": topic.name + SUFFIX * own,
        "own": own,
        "name": called,
        "partitions": topic.partitions,
        "replicas": topic.replication,
        "config": dict(topic.config),
    }


def _acls(part: str) -> list[dict[str, Any]]:
    return list(_grouped(wanted(parts(), _OPEN, {part: f"User:{part}"})))


def _grouped(acls: Iterable[Acl]) -> Iterable[dict[str, Any]]:
    operations: Mapping[tuple[str, str, str], list[str]] = defaultdict(list)
    for acl in sorted(acls):
        operations[acl.kind, acl.name, acl.pattern].append(OPERATIONS[acl.operation])
    for (kind, name, pattern), allowed in operations.items():
        resource = {"type": KINDS[kind]}
        if kind != "CLUSTER":
            resource |= {"name": name, "patternType": PATTERNS[pattern]}
        yield {"resource": resource, "operations": allowed}
