"""Each part's health check, by the part's name: for whoever starts it and for `status`."""

from __future__ import annotations

from collections.abc import Callable

from local_stack import health, secure
from local_stack.health import HealthCheck
from local_stack.settings import StackSettings

Checked = Callable[[StackSettings], HealthCheck]


def part_checks(settings: StackSettings) -> dict[str, HealthCheck]:
    """The check of every part; one with nothing to ask is healthy while its process lives."""
    return {
        each.part_name(kind): check(each)
        for kind, check in CHECKS.items()
        for each in settings.instances(kind)
    }


def _kafka(settings: StackSettings) -> HealthCheck:
    # The admin logs in by certificate.
    port = settings.kafka_mtls_port if settings.secure else settings.kafka_port
    environment = secure.kafka_environment(settings, "admin")
    return health.kafka_serves(settings.host, port, environment)


def _pinot(url: str, settings: StackSettings) -> HealthCheck:
    return health.http_ok(f"{url}/health", lambda: secure.tls_of_pinot(settings))


def _taskmanager(settings: StackSettings) -> HealthCheck:
    name = settings.part_name("flink_taskmanager")
    return health.http_json(
        f"{settings.flink_url}/taskmanagers",
        lambda said: name in (each["id"] for each in said["taskmanagers"]),
    )


def _lives(_: StackSettings) -> HealthCheck:
    return health.lives


CHECKS: dict[str, Checked] = {
    "gateway": lambda of: health.http_ok(f"{of.gateway_url}/healthz"),
    "kafka": _kafka,
    "zookeeper": lambda of: health.zookeeper_serves(of.host, of.zookeeper_port),
    "pinot_controller": lambda of: _pinot(of.pinot_controller_url, of),
    "pinot_broker": lambda of: _pinot(of.pinot_broker_url, of),
    "pinot_server": lambda of: _pinot(of.pinot_server_admin_url, of),
    "flink": lambda of: health.http_json(
        f"{of.flink_url}/overview", lambda said: "taskmanagers" in said
    ),
    "flink_taskmanager": _taskmanager,
    "progress": _lives,
    "audit": lambda of: health.http_ok(f"{of.audit_url}/healthz"),
    "traffic": _lives,
    "prometheus": lambda of: health.http_ok(f"{of.prometheus_url}/-/ready"),
}
