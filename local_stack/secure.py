"""What `./dev up --secure` adds: certificates, passwords, and by which of them each part and command is let in."""

from __future__ import annotations

import base64
import secrets
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from local_stack.settings import StackSettings

BY_PASSWORD: Final = ("producer", "job", "tracker", "tools", "pinot")
"""Who logs in to Kafka by SCRAM; the others of its parts by certificate."""
BY_CERTIFICATE: Final = ("admin", "audit", "repair", "erase", "archive")
SERVERS: Final = ("kafka", "pinot")
OF_CONTROLLER: Final = {
    "admin": "",  # all
    "internal": "",
    "job": "READ",
    "tracker": "READ",
    "audit": "READ",
    "repair": "READ",
    "erase": "",
    "archive": "READ",
}
OF_BROKER: Final = ("gateway", "tracker", "audit", "repair", "erase", "archive", "admin")
"""Pinot's users, and what the controller lets them do; the broker has nothing but questions."""


@dataclass(frozen=True, slots=True)
class SecureFiles:
    """The folder of a stack's certificates and passwords, readable by its owner only."""

    folder: Path

    def password_file(self, user: str) -> Path:
        """The password of a user of Kafka, or of Pinot as `pinot-USER`."""
        return self.folder / f"{user}.password"

    def password(self, user: str) -> str:
        return self.password_file(user).read_text()


def files(settings: StackSettings) -> SecureFiles:
    """Where a stack keeps them."""
    return SecureFiles(settings.state / "secure")


def issue(settings: StackSettings, now: datetime) -> None:
    """Make the authority and the passwords once, and every certificate anew."""
    # Not before the set-up: this module is imported where nothing is installed yet.
    from gateway.access.auth.key_file import write_private
    from local_stack.authority import Authority

    at = files(settings)
    authority = Authority(at.folder)
    authority.make(now)
    users = [*BY_PASSWORD, "keystore", *(f"pinot-{each}" for each in {*OF_CONTROLLER, *OF_BROKER})]
    for user in users:
        if not at.password_file(user).exists():
            write_private(at.password_file(user), secrets.token_hex(24).encode())
    for name in (*SERVERS, *BY_CERTIFICATE):
        authority.issue(name, settings.host, now)
    authority.keystores("pinot", at.password("keystore"))


def kafka_environment(settings: StackSettings, part: str) -> dict[str, str]:
    """The `KAFKA_*` variables of a part; none where all is in clear text on loopback."""
    if not settings.secure:
        return {}
    at = files(settings)
    ca = {"KAFKA_SSL_CA_FILE": str(at.folder / "ca.pem")}
    if part in BY_CERTIFICATE:
        return {
            "KAFKA_SECURITY_PROTOCOL": "SSL",
            "KAFKA_SSL_CERT_FILE": str(at.folder / f"{part}.pem"),
            "KAFKA_SSL_KEY_FILE": str(at.folder / f"{part}.key"),
            **ca,
        }
    return {
        "KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
        "KAFKA_SASL_MECHANISM": "SCRAM-SHA-512",
        "KAFKA_SASL_USERNAME": part,
        "KAFKA_SASL_PASSWORD_FILE": str(at.password_file(part)),
        **ca,
    }


def kafka_servers(settings: StackSettings, part: str) -> str:
    """Which of Kafka's addresses a part uses."""
    by_certificate = settings.secure and part in BY_CERTIFICATE
    return settings.kafka_mtls_servers if by_certificate else settings.kafka_servers


def pinot_environment(settings: StackSettings, user: str) -> dict[str, str]:
    """The `PINOT_*` variables of a part."""
    if not settings.secure:
        return {}
    at = files(settings)
    return {
        "PINOT_USERNAME": user,
        "PINOT_PASSWORD_FILE": str(at.password_file(f"pinot-{user}")),
        "PINOT_TLS_CA_FILE": str(at.folder / "ca.pem"),
    }


def environment(settings: StackSettings, part: str) -> dict[str, str]:
    """What a part needs for Kafka and Pinot."""
    pinot = pinot_environment(settings, part) if part in OF_CONTROLLER else {}
    return {**kafka_environment(settings, part), **pinot}


def gateway_environment(settings: StackSettings) -> dict[str, str]:
    """How the gateway reaches Pinot's broker."""
    if not settings.secure:
        return {}
    at = files(settings)
    return {
        "GATEWAY_PINOT_USERNAME": "gateway",
        "GATEWAY_PINOT_PASSWORD_FILE": str(at.password_file("pinot-gateway")),
        "GATEWAY_PINOT_TLS_CA_FILE": str(at.folder / "ca.pem"),
    }


def tls_of_pinot(settings: StackSettings) -> ssl.SSLContext | bool:
    """What the health checks believe; Pinot's server lets only holders of a certificate ask."""
    if not settings.secure:
        return True
    at = files(settings)
    context = ssl.create_default_context(cafile=str(at.folder / "ca.pem"))
    context.load_cert_chain(at.folder / "pinot.pem", at.folder / "pinot.key")
    return context


def placeholders(settings: StackSettings) -> Mapping[str, str]:
    """What the templates in `local_stack/conf/secure/` may name beside the others."""
    at = files(settings)
    internal = base64.b64encode(f"internal:{at.password('pinot-internal')}".encode()).decode()
    return {
        "secure_files": str(at.folder),
        "keystore_password": at.password("keystore"),
        "pinot_internal_token": f"Basic {internal}",
        "pinot_controller_principals": _principals(
            at, "controller.admin.access.control", OF_CONTROLLER
        ),
        "pinot_broker_principals": _principals(
            at, "pinot.broker.access.control", dict.fromkeys(OF_BROKER, "READ")
        ),
    }


def _principals(at: SecureFiles, prefix: str, users: Mapping[str, str]) -> str:
    lines = [f"{prefix}.principals={','.join(users)}"]
    for user, permissions in users.items():
        named = f"{prefix}.principals.{user}"
        lines.append(f"{named}.password={at.password(f'pinot-{user}')}")
        lines += [f"{named}.permissions={permissions}"] if permissions else []
    return "\n".join(lines)
