"""Each part's health check, by the part's name: for whoever starts it and for `status`."""

from __future__ import annotations

from local_stack import health, secure
from local_stack.health import HealthCheck
from local_stack.settings import StackSettings


def part_checks(settings: StackSettings) -> dict[str, HealthCheck]:
    """The check of every part; one with nothing to ask is healthy while its process lives."""
    return {
        "gateway": health.http_ok(f"{settings.gateway_url}/healthz"),
        "kafka": health.kafka_serves(
            secure.kafka_servers(settings, "admin"), secure.kafka_environment(settings, "admin")
        ),
        "zookeeper": health.zookeeper_serves(settings.host, settings.zookeeper_port),
        "pinot_controller": health.http_ok(
            f"{settings.pinot_controller_url}/health", lambda: secure.tls_of_pinot(settings)
        ),
        "pinot_broker": health.http_ok(
            f"{settings.pinot_broker_url}/health", lambda: secure.tls_of_pinot(settings)
        ),
        "pinot_server": health.http_ok(
            f"{settings.pinot_server_admin_url}/health", lambda: secure.tls_of_pinot(settings)
        ),
        "flink": health.http_json(
            f"{settings.flink_url}/overview", lambda said: "taskmanagers" in said
        ),
        "flink_taskmanager": health.http_json(
            f"{settings.flink_url}/taskmanagers", lambda said: len(said["taskmanagers"]) > 0
        ),
        "progress": health.lives,
        "audit": health.http_ok(f"{settings.audit_url}/healthz"),
        "traffic": health.lives,
        "prometheus": health.http_ok(f"{settings.prometheus_url}/-/ready"),
    }
