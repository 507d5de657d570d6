"""Kafka's AdminClient behind the few calls that applying topics needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from confluent_kafka import KafkaException
from confluent_kafka.admin import (  # type: ignore[attr-defined] # it re-exports without saying so
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewTopic,
    ResourceType,
)

from stream_jobs.topics.clients import admin, explained
from stream_jobs.topics.topic import LiveTopic, Topic

TIMEOUT_S = 20.0


class KafkaUnreachableError(Exception):
    """No Kafka broker answered in time, or one refused; the message names the servers."""


class KafkaTopicAdmin:
    """A `TopicAdmin` on a real cluster; every call ends within 20 s."""

    def __init__(self, kafka_servers: str) -> None:
        self._kafka_servers = kafka_servers
        self._client = admin(kafka_servers)

    def live_topics(self, names: Sequence[str]) -> Mapping[str, LiveTopic]:
        found = {name: topic.partitions for name, topic in self._topics().items() if name in names}
        if not found:
            return {}
        resources = [ConfigResource(ResourceType.TOPIC, name) for name in found]
        answers = self._client.describe_configs(resources, request_timeout=TIMEOUT_S)
        return {
            resource.name: LiveTopic(
                len(found[resource.name]),
                {entry.name: entry.value for entry in self._result(answer).values()},
                min(len(each.replicas) for each in found[resource.name].values()),
            )
            for resource, answer in answers.items()
        }

    def broker_setting(self, name: str) -> str:
        """The smallest value of a numeric setting over all brokers."""
        try:
            brokers = self._client.list_topics(timeout=TIMEOUT_S).brokers
        except KafkaException as failure:
            raise self._unreachable(failure) from None
        # One call a broker: librdkafka takes no more.
        answers = [
            answer
            for number in brokers
            for answer in self._client.describe_configs(
                [ConfigResource(ResourceType.BROKER, str(number))], request_timeout=TIMEOUT_S
            ).values()
        ]
        return min((str(self._result(each)[name].value) for each in answers), key=int)

    def create(self, topics: Sequence[Topic]) -> None:
        if not topics:
            return
        new = [
            NewTopic(topic.name, topic.partitions, topic.replication, config=dict(topic.config))
            for topic in topics
        ]
        for answer in self._client.create_topics(new, operation_timeout=TIMEOUT_S).values():
            self._result(answer)

    def alter_config(self, name: str, config: Mapping[str, str]) -> None:
        entries = [
            ConfigEntry(key, value, incremental_operation=AlterConfigOpType.SET)
            for key, value in config.items()
        ]
        resource = ConfigResource(ResourceType.TOPIC, name, incremental_configs=entries)
        for answer in self._client.incremental_alter_configs([resource]).values():
            self._result(answer)

    def _topics(self) -> Mapping[str, Any]:
        try:
            return dict(self._client.list_topics(timeout=TIMEOUT_S).topics)
        except KafkaException as failure:
            raise self._unreachable(failure) from None

    def _result(self, answer: Any) -> Any:
        try:
            return answer.result(timeout=TIMEOUT_S)
        except (KafkaException, TimeoutError) as failure:
            raise self._unreachable(failure) from None

    def _unreachable(self, failure: Exception) -> KafkaUnreachableError:
        return KafkaUnreachableError(
            f"Kafka at {self._kafka_servers}: {explained(self._client, failure)}"
        )
