"""What librdkafka tells of a refusal becomes one line that says who was refused what; a new password is taken."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException

from stream_jobs.topics.access import kafka_access
from stream_jobs.topics.clients import Connected, explained, refused

SERVERS = "kafka:9093"


class Client:
    """A client whose librdkafka has something to tell at the next poll."""

    def __init__(self, connected: Connected, *told: KafkaError) -> None:
        self.connected = connected
        self._told = list(told)
        self.given: list[tuple[str, str]] = []
        connected.of(self)

    def poll(self, timeout: float) -> None:
        assert timeout == 0
        while self._told:
            self.connected.heard(self._told.pop())

    def set_sasl_credentials(self, username: str, password: str) -> None:
        self.given.append((username, password))


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    file = tmp_path / "password"
    file.write_text("first")
    return {
        "KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
        "KAFKA_SASL_MECHANISM": "SCRAM-SHA-256",
        "KAFKA_SASL_USERNAME": "audit",
        "KAFKA_SASL_PASSWORD_FILE": str(file),
    }


def _client(environment: dict[str, str], *told: KafkaError) -> Client:
    return Client(Connected(SERVERS, kafka_access(SERVERS, environment)), *told)


def _error(code: int, said: str) -> Any:
    return KafkaError(code, said)


LATE = KafkaException(KafkaError(KafkaError._TIMED_OUT))


def test_a_refused_password_is_told_in_place_of_a_timeout(environment: dict[str, str]) -> None:
    client = _client(environment, _error(KafkaError._AUTHENTICATION, "invalid credentials"))
    assert explained(client, LATE) == (
        "Kafka at kafka:9093 refuses to authenticate user audit (SCRAM-SHA-256): invalid credentials"
    )
    assert client.given == []  # the file says what was refused


def test_a_password_that_was_rotated_is_taken_once_the_old_one_is_refused(
    environment: dict[str, str],
) -> None:
    refusal = _error(KafkaError._AUTHENTICATION, "invalid credentials")
    client = _client(environment, refusal)
    Path(environment["KAFKA_SASL_PASSWORD_FILE"]).write_text("second\n")
    said = refused(client)
    assert client.given == [("audit", "second")]
    assert "second" not in said
    client.connected.heard(refusal)
    assert client.given == [("audit", "second")]


def test_a_password_file_that_is_gone_is_told_with_the_refusal(environment: dict[str, str]) -> None:
    client = _client(environment, _error(KafkaError._AUTHENTICATION, "invalid credentials"))
    Path(environment["KAFKA_SASL_PASSWORD_FILE"]).unlink()
    assert "KAFKA_SASL_PASSWORD_FILE names" in refused(client)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("SSL handshake failed: alert certificate expired", "our certificate has expired"),
        ("Receive failed: tls alert certificate required", "it wants a client certificate"),
        ("Receive failed: tls alert unknown ca", "does not know the authority of our certificate"),
        ("certificate verify failed: broker certificate could not be verified", "broker"),
    ],
)
def test_a_refused_certificate_is_told_as_what_it_is(
    said: str, told: str, environment: dict[str, str]
) -> None:
    line = explained(_client(environment, _error(KafkaError._SSL, said)), LATE)
    assert line.startswith("no TLS with Kafka at kafka:9093 as user audit")
    assert told in line
    assert "\n" not in line


@pytest.mark.parametrize(
    ("code", "what"),
    [
        (KafkaError.TOPIC_AUTHORIZATION_FAILED, "the topic"),
        (KafkaError.GROUP_AUTHORIZATION_FAILED, "the consumer group"),
        (KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED, "the transactional id"),
        (KafkaError.CLUSTER_AUTHORIZATION_FAILED, "the cluster"),
    ],
)
def test_a_missing_acl_is_told_with_whose_it_is(
    code: int, what: str, environment: dict[str, str]
) -> None:
    line = explained(_client(environment), KafkaException(KafkaError(code)))
    assert f"no ACL of user audit (SCRAM-SHA-256) allows this of {what};" in line


def test_an_outage_is_no_refusal(environment: dict[str, str]) -> None:
    client = _client(environment, _error(KafkaError._TRANSPORT, "Connection refused"))
    assert refused(client) == ""
    assert "timed out" in explained(client, LATE).lower()


def test_an_alert_counts_whatever_it_comes_as(environment: dict[str, str]) -> None:
    client = _client(
        environment, _error(KafkaError._TRANSPORT, "tls alert certificate unknown: number 46")
    )
    assert "does not accept our certificate" in refused(client)
