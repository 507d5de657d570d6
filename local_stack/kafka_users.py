"""Gives Kafka's users the passwords that lie in a stack's files; safe to run twice."""

from __future__ import annotations

from typing import Any

from confluent_kafka.admin import (  # type: ignore[attr-defined] # it re-exports without saying so
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)

from local_stack import secure
from local_stack.settings import StackSettings
from stream_jobs.topics.clients import admin

ITERATIONS = 8192
TIMEOUT_S = 20.0


def give_passwords(settings: StackSettings) -> int:
    """How many users have theirs now. Raises KafkaException if Kafka refuses or does not answer."""
    at = secure.files(settings)
    client = admin(
        secure.kafka_servers(settings, "admin"), secure.kafka_environment(settings, "admin")
    )
    info = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, ITERATIONS)
    wanted: list[Any] = [
        UserScramCredentialUpsertion(user, info, at.password(user).encode())
        for user in secure.BY_PASSWORD
    ]
    answers = client.alter_user_scram_credentials(wanted, request_timeout=TIMEOUT_S)
    for answer in answers.values():
        answer.result(timeout=TIMEOUT_S)
    return len(answers)
