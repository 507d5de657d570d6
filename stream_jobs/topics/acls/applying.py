"""ACLs of a real cluster: read, created, deleted."""

from __future__ import annotations

from typing import Any

from confluent_kafka import KafkaException
from confluent_kafka.admin import (  # type: ignore[attr-defined] # it re-exports without saying so
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    ResourcePatternType,
    ResourceType,
)

from stream_jobs.topics.acls.rules import Acl, AclChanges
from stream_jobs.topics.admin import KafkaUnreachableError
from stream_jobs.topics.clients import admin, explained

TIMEOUT_S = 20.0
_KINDS = {
    "TOPIC": ResourceType.TOPIC,
    "GROUP": ResourceType.GROUP,
    "TRANSACTIONAL_ID": ResourceType.TRANSACTIONAL_ID,
    "CLUSTER": ResourceType.BROKER,  # librdkafka's name for the cluster, where ACLs are meant
}


class KafkaAcls:
    """The ACLs of one cluster; every call ends within about 20 s, or raises KafkaUnreachableError."""

    def __init__(self, kafka_servers: str) -> None:
        self._kafka_servers = kafka_servers
        self._client = admin(kafka_servers)

    def live(self) -> frozenset[Acl]:
        """All that allow something from everywhere."""
        every = AclBindingFilter(
            ResourceType.ANY,
            None,  # type: ignore[arg-type] # any name, as librdkafka has it; below any principal and host
            ResourcePatternType.ANY,
            None,  # type: ignore[arg-type]
            None,  # type: ignore[arg-type]
            AclOperation.ANY,
            AclPermissionType.ALLOW,
        )
        kinds = {kind: name for name, kind in _KINDS.items()}
        return frozenset(
            Acl(
                each.principal,
                kinds.get(each.restype, each.restype.name),
                each.name,
                each.resource_pattern_type.name,
                each.operation.name,
            )
            for each in self._result(self._client.describe_acls(every, request_timeout=TIMEOUT_S))
        )

    def apply(self, change: AclChanges) -> None:
        """Create what is missing, then delete what is too much."""
        if change.missing:
            made = self._client.create_acls(
                [_binding(acl) for acl in change.missing], request_timeout=TIMEOUT_S
            )
            for answer in made.values():
                self._result(answer)
        if change.superfluous:
            filters = [_filter(acl) for acl in change.superfluous]
            for answer in self._client.delete_acls(filters, request_timeout=TIMEOUT_S).values():
                self._result(answer)

    def _result(self, answer: Any) -> Any:
        try:
            return answer.result(timeout=TIMEOUT_S)
        except (KafkaException, TimeoutError) as failure:
            why = explained(self._client, failure)
            raise KafkaUnreachableError(f"Kafka at {self._kafka_servers}: {why}") from None


def _of(acl: Acl) -> tuple[Any, ...]:
    return (
        _KINDS[acl.kind],
        acl.name,
        ResourcePatternType[acl.pattern],
        acl.principal,
        "*",
        AclOperation[acl.operation],
        AclPermissionType.ALLOW,
    )


def _binding(acl: Acl) -> AclBinding:
    return AclBinding(*_of(acl))


def _filter(acl: Acl) -> AclBindingFilter:
    return AclBindingFilter(*_of(acl))
