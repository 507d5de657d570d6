"""A certificate authority in a folder: makes itself once, and a certificate for whoever is to have one."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from gateway.access.auth.key_file import write_private

AUTHORITY_DAYS = 3650
CERTIFICATE_DAYS = 90
EARLIER = timedelta(hours=1)  # for clocks that are behind


@dataclass(frozen=True, slots=True)
class Authority:
    """One authority; everything that it writes is readable by its owner only."""

    folder: Path

    @property
    def ca_file(self) -> Path:
        """Whom to believe."""
        return self.folder / "ca.pem"

    def make(self, now: datetime) -> None:
        """Make the authority, unless it is there."""
        if self.ca_file.is_file():
            return
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        key = ec.generate_private_key(ec.SECP256R1())
        name = _named("payments local authority")
        certificate = (
            _builder(name, name, key.public_key(), now, now + timedelta(days=AUTHORITY_DAYS))
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .sign(key, hashes.SHA256())
        )
        write_private(self.folder / "ca.key", _key_pem(key))
        write_private(self.ca_file, _pem(certificate))

    def issue(
        self,
        name: str,
        host: str,
        now: datetime,
        valid: timedelta = timedelta(days=CERTIFICATE_DAYS),
    ) -> None:
        """Write `NAME.pem`, `NAME.key` and, for who takes one file only, `NAME-all.pem`, for server and client use."""
        own = self._key()
        authority = x509.load_pem_x509_certificate(self.ca_file.read_bytes())
        key = ec.generate_private_key(ec.SECP256R1())
        usages = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        hosts = [x509.IPAddress(ipaddress.ip_address(host)), x509.DNSName("localhost")]
        until = now + valid
        begun = min(now, until) - EARLIER
        certificate = (
            _builder(_named(name), authority.subject, key.public_key(), begun, until)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName(hosts), critical=False)
            .add_extension(x509.ExtendedKeyUsage(usages), critical=False)
            .sign(own, hashes.SHA256())
        )
        pem, key_pem = _pem(certificate), _key_pem(key)
        write_private(self.folder / f"{name}.pem", pem)
        write_private(self.folder / f"{name}.key", key_pem)
        write_private(self.folder / f"{name}-all.pem", key_pem + pem)

    def keystores(self, name: str, password: str) -> None:
        """What Java takes that knows no PEM: `NAME.p12` with key and certificate, and `ca.p12`."""
        authority = x509.load_pem_x509_certificate(self.ca_file.read_bytes())
        certificate = x509.load_pem_x509_certificate((self.folder / f"{name}.pem").read_bytes())
        key = serialization.load_pem_private_key((self.folder / f"{name}.key").read_bytes(), None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)  # as `issue` makes them
        sealed = serialization.BestAvailableEncryption(password.encode())
        own = pkcs12.serialize_key_and_certificates(
            name.encode(), key, certificate, [authority], sealed
        )
        trusted = pkcs12.serialize_java_truststore(
            [pkcs12.PKCS12Certificate(authority, b"authority")], sealed
        )
        write_private(self.folder / f"{name}.p12", own)
        write_private(self.folder / "ca.p12", trusted)

    def _key(self) -> ec.EllipticCurvePrivateKey:
        key = serialization.load_pem_private_key((self.folder / "ca.key").read_bytes(), None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)  # as `make` makes it
        return key


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePublicKey,
    begin: datetime,
    end: datetime,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(end)
    )


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
