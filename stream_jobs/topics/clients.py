"""Kafka's clients as every process here makes them, and in one line what Kafka has refused them.

librdkafka tries for ever, whatever it was refused for: it tells why beside its answers, and only when it is asked. A
password that was refused is read anew from its file; a certificate is not, which needs a new process.
"""

from __future__ import annotations

import os
import time
import weakref
from collections.abc import Mapping
from typing import Any, Final, TypeVar

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer
from confluent_kafka.admin import AdminClient

from stream_jobs.secret_files import AccessError, expiry_told
from stream_jobs.topics.access import KafkaAccess, kafka_access

# Longer than librdkafka's longest pause between two attempts to connect.
REMEMBERED_S: Final = 30.0
_BY_CONNECTING: Final = frozenset({KafkaError._AUTHENTICATION, KafkaError._SSL})
_FORBIDDEN: Final = {
    KafkaError.TOPIC_AUTHORIZATION_FAILED: "the topic",
    KafkaError.GROUP_AUTHORIZATION_FAILED: "the consumer group",
    KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED: "the transactional id",
    KafkaError.CLUSTER_AUTHORIZATION_FAILED: "the cluster",
}


class Connected:
    """What a client's connections were refused for last."""

    def __init__(self, kafka_servers: str, access: KafkaAccess) -> None:
        self._kafka_servers = kafka_servers
        self._access = access
        self._password = access.client().get("sasl.password")
        self._refused = ""
        self._refused_s = float("-inf")
        self._client: weakref.ref[Any] | None = None

    def of(self, client: Any) -> None:
        """The client is not kept alive: nothing may have to wait for the collector of cycles."""
        self._client = weakref.ref(client)

    def heard(self, error: KafkaError) -> None:
        """Of librdkafka: an error that no call has asked for."""
        if error.code() not in _BY_CONNECTING and " alert " not in error.str():
            return
        self._refused, self._refused_s = self._in_words(error), time.monotonic()
        if error.code() == KafkaError._AUTHENTICATION:
            self._read_password_anew()

    @property
    def refused(self) -> str:
        """Why there is no connection; empty if that is not known to be a refusal."""
        recent = time.monotonic() - self._refused_s < REMEMBERED_S
        return self._refused if recent else ""

    def explained(self, error: KafkaError) -> str:
        """What went wrong, in one line: a refusal with who was refused, and what."""
        if error.code() in _FORBIDDEN:
            return (
                f"{error.str()}: no ACL of {self._access.who} allows this of {_FORBIDDEN[error.code()]}; "
                "see stream_jobs/topics/acls/acls.yaml"
            )
        if error.code() in _BY_CONNECTING:
            return self._in_words(error)
        return self.refused or error.str()

    def _in_words(self, error: KafkaError) -> str:
        said = " ".join(error.str().split())
        if error.code() == KafkaError._AUTHENTICATION:
            return (
                f"Kafka at {self._kafka_servers} refuses to authenticate {self._access.who}: {said}"
            )
        hint = expiry_told(self._access.ssl_cert_file) or _told_of_tls(said)
        told = f"{hint} ({said})" if hint else said
        return f"no TLS with Kafka at {self._kafka_servers} as {self._access.who}: {told}"

    def _read_password_anew(self) -> None:
        try:
            password = self._access.password()
        except AccessError as problem:
            self._refused = f"{self._refused}; {problem}"
            return
        client = self._client and self._client()
        if client and password != self._password:
            self._password = password
            client.set_sasl_credentials(self._access.sasl_username, password)


def _told_of_tls(said: str) -> str:
    """What an alert of the other side means; empty if there is none."""
    hints = {
        "certificate expired": "our certificate has expired",
        "certificate required": "it wants a client certificate",
        "unknown ca": "it does not know the authority of our certificate",
        "alert bad certificate": "it does not accept our certificate",
        "alert certificate unknown": "it does not accept our certificate",
    }
    lower = said.lower()
    return next((words for part, words in hints.items() if part in lower), "")


class _Consumer(Consumer):
    connected: Connected


class _Producer(Producer):
    connected: Connected


class _AdminClient(AdminClient):
    connected: Connected


_Client = TypeVar("_Client", _Consumer, _Producer, _AdminClient)


def consumer(
    kafka_servers: str, config: Mapping[str, Any], environment: Mapping[str, str] = os.environ
) -> Consumer:
    """A consumer of these servers. Raises AccessError for settings that cannot work."""
    return _made(_Consumer, kafka_servers, config, environment)


def producer(
    kafka_servers: str, config: Mapping[str, Any], environment: Mapping[str, str] = os.environ
) -> Producer:
    """A producer to these servers. Raises AccessError for settings that cannot work."""
    return _made(_Producer, kafka_servers, config, environment)


def admin(kafka_servers: str, environment: Mapping[str, str] = os.environ) -> AdminClient:
    """An administrator's client. Raises AccessError for settings that cannot work."""
    return _made(_AdminClient, kafka_servers, {}, environment)


def heard(client: Any) -> str:
    """Why a client that is being polled has no connection, if that is a refusal; else nothing."""
    connected: Connected | None = getattr(client, "connected", None)
    return connected.refused if connected is not None else ""


def refused(client: Any) -> str:
    """The same of one that nobody polls; a consumer that is reading would lose a record by it."""
    if not hasattr(client, "connected"):
        return ""
    client.poll(0)
    return heard(client)


def explained(client: Any, failure: KafkaException | KafkaError | BaseException | None) -> str:
    """What a call of a client has failed for, in one line."""
    error = failure.args[0] if isinstance(failure, KafkaException) and failure.args else failure
    connected: Connected | None = getattr(client, "connected", None)
    if connected is None:
        return str(failure)
    if not isinstance(error, KafkaError):
        return refused(client) or str(failure) or type(failure).__name__
    if error.code() not in _FORBIDDEN and not connected.refused:
        client.poll(0)
    return connected.explained(error)


def is_forbidden(error: KafkaError) -> bool:
    """Whether an ACL is missing: no use to wait."""
    return error.code() in _FORBIDDEN


def _made(
    kind: type[_Client],
    kafka_servers: str,
    config: Mapping[str, Any],
    environment: Mapping[str, str],
) -> _Client:
    access = kafka_access(kafka_servers, environment)
    connected = Connected(kafka_servers, access)
    whole: dict[str, Any] = {
        "bootstrap.servers": kafka_servers,
        "log_level": 0,
        "error_cb": connected.heard,
        **access.client(),
        **config,
    }
    client = kind(whole)
    client.connected = connected
    connected.of(client)
    return client
