"""How our processes prove to Pinot who they are, and whom they believe: the `PINOT_*` variables, checked once.

Password and token are read anew for each request, certificates and authorities for each connection.
"""

from __future__ import annotations

import argparse
import base64
import os
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Final

from stream_jobs.secret_files import AccessError, misspelt, readable, secret

PREFIXES: Final = ("PINOT_PASSWORD", "PINOT_USER", "PINOT_TLS_", "PINOT_TOKEN")
"""What begins with one of them is meant as a setting of ours."""


def _setting(meaning: str) -> Any:
    return field(default="", metadata={"meaning": meaning})


@dataclass(frozen=True, slots=True)
class HttpAccess:
    """Each field `x` is the variable `PINOT_X`. Nothing given is nobody, over whatever the address says."""

    username: str = _setting("Who we are, for basic authentication")
    password_file: str = _setting("File with the password")
    token_file: str = _setting("File with a bearer token, in place of both")
    tls_ca_file: str = _setting(
        "PEM file of the authorities that a certificate may be from; empty: the system's"
    )
    tls_cert_file: str = _setting("PEM file of our certificate, where Pinot asks for one")
    tls_key_file: str = _setting("PEM file of its key; may be the certificate's file")

    @property
    def who(self) -> str:
        """Who we say we are, for messages."""
        if self.username:
            return f"user {self.username} (PINOT_PASSWORD_FILE)"
        return (
            "the token of PINOT_TOKEN_FILE"
            if self.token_file
            else "nobody (no PINOT_USERNAME is set)"
        )

    def headers(self) -> dict[str, str]:
        """What is sent with each request. Raises AccessError if a file cannot be read."""
        if self.token_file:
            return {"Authorization": f"Bearer {secret('PINOT_TOKEN_FILE', Path(self.token_file))}"}
        if not self.username:
            return {}
        password = secret("PINOT_PASSWORD_FILE", Path(self.password_file))
        encoded = base64.b64encode(f"{self.username}:{password}".encode()).decode()
        return {"Authorization": f"Basic {encoded}"}

    def tls(self) -> ssl.SSLContext:
        """For one connection: the host's name must be in its certificate. Raises AccessError for unusable files."""
        try:
            context = ssl.create_default_context(cafile=self.tls_ca_file or None)
            if self.tls_cert_file:
                context.load_cert_chain(self.tls_cert_file, self.tls_key_file)
        except OSError as error:  # ssl.SSLError is one
            raise AccessError(f"PINOT_TLS_…_FILE cannot be used: {error}") from None
        return context


NOBODY = HttpAccess()


def pinot_access(environment: Mapping[str, str] = os.environ) -> HttpAccess:
    """How Pinot is reached. Raises AccessError with all that is wrong."""
    given = {
        each.name: environment.get(variable(each.name), "").strip() for each in fields(HttpAccess)
    }
    access = HttpAccess(**given)
    known = [variable(name) for name in given]
    faults = [*misspelt(environment, PREFIXES, known), *_faults(access)]
    if faults:
        raise AccessError("\n".join(faults))
    return access


def checked(parser: argparse.ArgumentParser) -> None:
    """End with 2 and what is wrong, as for a wrong argument, if the settings cannot work."""
    try:
        access = pinot_access()
        for name in ("tls_ca_file", "tls_cert_file", "tls_key_file"):
            if path := getattr(access, name):
                readable(variable(name), path)
        access.headers()
    except AccessError as fault:
        parser.error(str(fault))


def variable(name: str) -> str:
    """The environment variable of a setting."""
    return f"PINOT_{name.upper()}"


def _faults(access: HttpAccess) -> Iterator[str]:
    if bool(access.username) is not bool(access.password_file):
        yield "PINOT_USERNAME and PINOT_PASSWORD_FILE: both must be set, or neither"
    if access.username and access.token_file:
        yield "PINOT_USERNAME and PINOT_TOKEN_FILE are both set: one of them is enough"
    if bool(access.tls_cert_file) is not bool(access.tls_key_file):
        yield "PINOT_TLS_CERT_FILE and PINOT_TLS_KEY_FILE: both must be set, or neither"
