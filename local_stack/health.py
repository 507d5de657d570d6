"""Is a part doing its work? One cheap check each, answered within about a second."""

from __future__ import annotations

import errno
import socket
import ssl
from collections.abc import Callable, Mapping
from typing import Any

import httpx
from confluent_kafka import KafkaException

from stream_jobs.secret_files import AccessError
from stream_jobs.topics.clients import admin

HealthCheck = Callable[[], bool]
TIMEOUT_S = 2.0


def http_ok(url: str, tls: Callable[[], ssl.SSLContext | bool] = lambda: True) -> HealthCheck:
    """Healthy when `url` answers 200; `tls()` says whom to believe."""

    def check() -> bool:
        try:
            return (
                httpx.get(url, timeout=TIMEOUT_S, trust_env=False, verify=tls()).status_code == 200
            )
        except (httpx.HTTPError, OSError):
            return False

    return check


def http_json(url: str, accept: Callable[[Any], bool]) -> HealthCheck:
    """Healthy when the JSON that `url` answers is accepted."""

    def check() -> bool:
        try:
            answer = httpx.get(url, timeout=TIMEOUT_S, trust_env=False)
            return answer.status_code == 200 and accept(answer.json())
        except (httpx.HTTPError, ValueError, KeyError, TypeError):
            return False

    return check


def zookeeper_serves(host: str, port: int) -> HealthCheck:
    """Healthy when ZooKeeper answers `srvr`, which it does only once it serves requests."""

    def check() -> bool:
        try:
            with socket.create_connection((host, port), timeout=TIMEOUT_S) as connection:
                connection.sendall(b"srvr")
                return connection.recv(64).startswith(b"Zookeeper version")
        except OSError:
            return False

    return check


def kafka_serves(host: str, port: int, environment: Mapping[str, str]) -> HealthCheck:
    """Healthy when a client gets the cluster's metadata from a node that is itself in them."""

    def check() -> bool:
        try:
            # A refused connection costs librdkafka its whole timeout; a socket says so at once.
            socket.create_connection((host, port), timeout=TIMEOUT_S).close()
            told = admin(f"{host}:{port}", environment).list_topics(timeout=TIMEOUT_S)
            return port in (each.port for each in told.brokers.values())
        except (OSError, KafkaException, AccessError):
            return False

    return check


def lives() -> bool:
    """For a part with nothing to ask: it is healthy while its process lives."""
    return True


def port_taken(host: str, port: int) -> bool:
    """Whether something else listens on the port already.

    Raises:
        OSError: the port may not be used at all (below 1024 without the right to).

    """
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as problem:
            if problem.errno == errno.EADDRINUSE:
                return True
            raise
        return False
