"""How our processes reach Kafka: the `KAFKA_*` variables, checked once, as each kind of client wants them."""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Final

from stream_jobs.secret_files import AccessError, misspelt, readable, secret

PROTOCOLS: Final = ("PLAINTEXT", "SSL", "SASL_SSL", "SASL_PLAINTEXT")
LOGIN_MODULES: Final = {
    "PLAIN": "org.apache.kafka.common.security.plain.PlainLoginModule",
    "SCRAM-SHA-256": "org.apache.kafka.common.security.scram.ScramLoginModule",
    "SCRAM-SHA-512": "org.apache.kafka.common.security.scram.ScramLoginModule",
}
PREFIXES: Final = ("KAFKA_SASL_", "KAFKA_SSL_", "KAFKA_SECURITY_")
"""What begins with one of them is meant as a setting of ours."""
FLINK_PACKAGE: Final = "org.apache.flink.kafka.shaded."
"""What Flink's SQL connector puts before the class names of Kafka's client inside it."""
_PROVIDER = "org.apache.kafka.common.config.provider.DirectoryConfigProvider"
_PATIENCE = {
    # A Java process's first handshake is slow: broken off after Kafka's 10 s, it would begin again and again.
    "socket.connection.setup.timeout.ms": "60000",
    "socket.connection.setup.timeout.max.ms": "60000",
}
_QUOTED = re.compile(r'["\\\r\n]')
_LOOPBACK = re.compile(r"(?:127(?:\.\d{1,3}){3}|localhost|\[::1\])(?::\d+)?")


def _setting(meaning: str, default: str = "", *, repr_: bool = True) -> Any:
    return field(default=default, repr=repr_, metadata={"meaning": meaning})


@dataclass(frozen=True, slots=True)
class KafkaAccess:
    """Each field `x` is the variable `KAFKA_X`. Nothing given is clear text, as on loopback."""

    security_protocol: str = _setting(
        f"{', '.join(PROTOCOLS[:-1])}, or {PROTOCOLS[-1]} on loopback only", "PLAINTEXT"
    )
    sasl_mechanism: str = _setting("`SCRAM-SHA-512`, `SCRAM-SHA-256` or `PLAIN`, for `SASL_…`")
    sasl_username: str = _setting("Who we are, for `SASL_…`")
    sasl_password: str = _setting("The password; better in a file", repr_=False)
    sasl_password_file: str = _setting("File with the password, read anew when it was refused")
    ssl_ca_file: str = _setting(
        "PEM file of the authorities that Kafka's certificate may be from; empty: the system's"
    )
    ssl_cert_file: str = _setting(
        "PEM file of our certificate and those between it and its authority, for mTLS"
    )
    ssl_key_file: str = _setting("PEM file of its key, unencrypted; may be the certificate's file")

    @property
    def who(self) -> str:
        """Who we say we are, for messages."""
        if self.sasl_username:
            return f"user {self.sasl_username} ({self.sasl_mechanism})"
        return f"the certificate {self.ssl_cert_file}" if self.ssl_cert_file else "nobody"

    def password(self) -> str:
        """The password as it is now. Raises AccessError if its file cannot be read."""
        if self.sasl_password_file:
            return secret("KAFKA_SASL_PASSWORD_FILE", Path(self.sasl_password_file))
        return self.sasl_password

    def client(self) -> dict[str, str]:
        """What every client of librdkafka is given. Raises AccessError for an unreadable password."""
        if self.security_protocol == "PLAINTEXT":
            return {}
        files = {
            "ssl.ca.location": self.ssl_ca_file,
            "ssl.certificate.location": self.ssl_cert_file,
            "ssl.key.location": self.ssl_key_file,
        }
        given = {"security.protocol": self.security_protocol, **_given(files)}
        if self.security_protocol.endswith("SSL"):
            given["ssl.endpoint.identification.algorithm"] = "https"
        if self.security_protocol.startswith("SASL"):
            given["sasl.mechanism"] = self.sasl_mechanism
            given["sasl.username"] = self.sasl_username
            given["sasl.password"] = self.password()
        return given

    def java_client(self, package: str = "") -> dict[str, str]:
        """What Kafka's own client is given, inside Flink and Pinot: where its secrets lie, never what they are.

        The files are read by those processes, whenever they make a client. Raises AccessError for what cannot be
        told so.
        """
        if self.security_protocol == "PLAINTEXT":
            return {}
        given = {"security.protocol": self.security_protocol, **_PATIENCE}
        if self.ssl_ca_file:
            given |= {"ssl.truststore.type": "PEM", "ssl.truststore.location": self.ssl_ca_file}
        given |= self._java_certificate() | self._java_login(package)
        if any("${files:" in value for value in given.values()):
            given |= {
                "config.providers": "files",
                "config.providers.files.class": package + _PROVIDER,
            }
        return given

    def _java_certificate(self) -> dict[str, str]:
        if not self.ssl_cert_file:
            return {}
        if self.ssl_cert_file == self.ssl_key_file:
            return {"ssl.keystore.type": "PEM", "ssl.keystore.location": self.ssl_cert_file}
        return {
            "ssl.keystore.type": "PEM",
            "ssl.keystore.certificate.chain": _reference("KAFKA_SSL_CERT_FILE", self.ssl_cert_file),
            "ssl.keystore.key": _reference("KAFKA_SSL_KEY_FILE", self.ssl_key_file),
        }

    def _java_login(self, package: str) -> dict[str, str]:
        if not self.security_protocol.startswith("SASL"):
            return {}
        if not self.sasl_password_file:
            raise AccessError(
                "KAFKA_SASL_PASSWORD_FILE must be set: Flink and Pinot are told where the password lies, not what it is"
            )
        self._refuse_unquotable()
        module = package + LOGIN_MODULES[self.sasl_mechanism]
        password = _reference("KAFKA_SASL_PASSWORD_FILE", self.sasl_password_file)
        login = f'{module} required username="{self.sasl_username}" password="{password}";'
        return {"sasl.mechanism": self.sasl_mechanism, "sasl.jaas.config": login}

    def _refuse_unquotable(self) -> None:
        """Kafka's client takes the file as it is, and puts it between quotes."""
        path = Path(self.sasl_password_file)
        if not path.exists():
            return  # it lies where Flink or Pinot runs, and not here
        secret("KAFKA_SASL_PASSWORD_FILE", path)
        if _QUOTED.search(path.read_text()) or _QUOTED.search(self.sasl_username):
            raise AccessError(
                f"KAFKA_SASL_PASSWORD_FILE names {path}, which holds a newline, a quote or a backslash: "
                'Kafka\'s client takes it as it is (write it with printf "%s")'
            )


CLEAR_TEXT: Final = KafkaAccess()


def kafka_access(kafka_servers: str, environment: Mapping[str, str] = os.environ) -> KafkaAccess:
    """How these servers are reached. Raises AccessError with all that is wrong."""
    given = {
        each.name: environment.get(variable(each.name), "").strip() for each in fields(KafkaAccess)
    }
    access = KafkaAccess(**_given(given))
    known = [variable(name) for name in given]
    faults = [*misspelt(environment, PREFIXES, known), *_faults(access, kafka_servers)]
    if faults:
        raise AccessError("\n".join(faults))
    return access


def variable(name: str) -> str:
    """The environment variable of a setting."""
    return f"KAFKA_{name.upper()}"


def _given(values: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in values.items() if value}


def _reference(named_by: str, path: str) -> str:
    place = Path(path)
    if not place.is_absolute() or re.search(r"[:{}]", path):
        raise AccessError(
            f"{named_by} is {path}: it must be an absolute path without colons and braces"
        )
    return f"${{files:{place.parent}:{place.name}}}"


def _faults(access: KafkaAccess, kafka_servers: str) -> Iterator[str]:
    protocol = access.security_protocol
    if protocol not in PROTOCOLS:
        yield f"KAFKA_SECURITY_PROTOCOL is {protocol!r}: it must be one of {', '.join(PROTOCOLS)}"
        return
    if protocol == "SASL_PLAINTEXT" and not all(
        _LOOPBACK.fullmatch(each.strip()) for each in kafka_servers.split(",")
    ):
        yield "KAFKA_SECURITY_PROTOCOL is SASL_PLAINTEXT: a password goes in clear text to loopback only; use SASL_SSL"
    yield from _sasl_faults(access) if protocol.startswith("SASL") else _unused_sasl(access)
    if bool(access.ssl_cert_file) is not bool(access.ssl_key_file):
        yield "KAFKA_SSL_CERT_FILE and KAFKA_SSL_KEY_FILE: both must be set, or neither"
    if protocol in ("PLAINTEXT", "SASL_PLAINTEXT") and (access.ssl_ca_file or access.ssl_cert_file):
        yield f"KAFKA_SSL_CA_FILE and the like are set, and KAFKA_SECURITY_PROTOCOL is {protocol}: use SSL or SASL_SSL"


def _sasl_faults(access: KafkaAccess) -> Iterator[str]:
    if access.sasl_mechanism not in LOGIN_MODULES:
        yield f"KAFKA_SASL_MECHANISM is {access.sasl_mechanism!r}: it must be one of {', '.join(LOGIN_MODULES)}"
    if not access.sasl_username:
        yield "KAFKA_SASL_USERNAME must be set"
    if bool(access.sasl_password) is bool(access.sasl_password_file):
        yield "one of KAFKA_SASL_PASSWORD_FILE and KAFKA_SASL_PASSWORD must be set"


def _unused_sasl(access: KafkaAccess) -> Iterator[str]:
    if (
        access.sasl_mechanism
        or access.sasl_username
        or access.sasl_password
        or access.sasl_password_file
    ):
        yield (
            f"KAFKA_SASL_… is set, and KAFKA_SECURITY_PROTOCOL is {access.security_protocol}: "
            "nobody would be logged in; use SASL_SSL"
        )


def checked(parser: argparse.ArgumentParser, kafka_servers: str) -> None:
    """End with 2 and what is wrong, as for a wrong argument, if the settings cannot work."""
    try:
        check(kafka_servers)
    except AccessError as fault:
        parser.error(str(fault))


def check(kafka_servers: str) -> None:
    """Raise AccessError if the settings, or the files that they name, cannot work."""
    access = kafka_access(kafka_servers)
    for name in ("ssl_ca_file", "ssl_cert_file", "ssl_key_file"):
        if path := getattr(access, name):
            readable(variable(name), path)
    access.client()
