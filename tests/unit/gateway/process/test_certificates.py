"""When certificates end: of a chain the first, of authorities the last, and anew once they are replaced."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.x509.oid import NameOID

from gateway.process.certificates import LOOK_EVERY_S, CertificateFile


def certificate(ends_s: int) -> bytes:
    key = Ed25519PrivateKey.generate()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime(1970, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime.fromtimestamp(ends_s, UTC))
        .sign(key, None)
    )
    return made.public_bytes(serialization.Encoding.PEM)


def test_of_a_chain_the_first_end_counts_and_of_authorities_the_last(tmp_path: Path) -> None:
    path = tmp_path / "some.pem"
    path.write_bytes(certificate(2_000) + certificate(1_000) + certificate(3_000))
    assert CertificateFile(path, lambda: 0.0).ends_s() == 1_000
    assert CertificateFile(path, lambda: 0.0, is_authorities=True).ends_s() == 3_000


def test_what_replaces_it_is_seen_within_a_minute(tmp_path: Path) -> None:
    path, now = tmp_path / "one.pem", [0.0]
    path.write_bytes(certificate(1_000))
    file = CertificateFile(path, lambda: now[0])
    assert file.ends_s() == 1_000
    path.write_bytes(certificate(2_000))
    assert file.ends_s() == 1_000
    now[0] = LOOK_EVERY_S
    assert file.ends_s() == 2_000


def test_what_cannot_be_read_has_no_end(tmp_path: Path) -> None:
    assert math.isnan(CertificateFile(tmp_path / "missing.pem", lambda: 0.0).ends_s())
    (tmp_path / "none.pem").write_text("no certificate")
    assert math.isnan(CertificateFile(tmp_path / "none.pem", lambda: 0.0).ends_s())
