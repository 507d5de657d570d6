"""TLS to a real Redis: its certificate must be from whom we believe, and name the host of the address."""

from __future__ import annotations

import datetime as dt
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from redis.exceptions import RedisError

from gateway.access.budget.shared import connect
from gateway.process.redis_tls import RedisTls
from gateway.response_cache.redis_store import redis_store
from tests.integration.gateway_process import free_port

pytestmark = pytest.mark.anyio
WITHIN_S = 30.0


class Authority:
    """A certificate authority in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"CA {folder.name}")])
        self.certificate = self._write("ca", self._name, self._key, None)

    def issue(self, name: str, alternative: x509.DNSName) -> tuple[Path, Path]:
        """A certificate's and its key's file."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        path = self._write(name, subject, key, alternative)
        key_path = path.with_suffix(".key")
        key_path.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return path, key_path

    def _write(
        self,
        name: str,
        subject: x509.Name,
        key: ec.EllipticCurvePrivateKey,
        alternative: x509.DNSName | None,
    ) -> Path:
        now = dt.datetime.now(dt.UTC)
        made = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(days=1))
            .not_valid_after(now + dt.timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=alternative is None, path_length=None), True)
        )
        if alternative is not None:
            made = made.add_extension(x509.SubjectAlternativeName([alternative]), False)
        path = self.folder / f"{name}.pem"
        signed = made.sign(self._key, hashes.SHA256())
        path.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
        return path


class World:
    """A Redis of the name `localhost`, which wants to see a certificate of its authority."""

    def __init__(self, folder: Path) -> None:
        ours = Authority(folder / "ours")
        self.port = free_port()
        self.certificate, self.key = ours.issue("server", x509.DNSName("localhost"))
        self.client_certificate, self.client_key = ours.issue("client", x509.DNSName("gateway"))
        self.authority = ours.certificate
        self.stranger = Authority(folder / "stranger").certificate

    def tls(self, authority: Path | None = None, *, shown: bool = True) -> RedisTls:
        own = (str(self.client_certificate), str(self.client_key)) if shown else ("", "")
        return RedisTls(str(authority or self.authority), *own)

    def url(self, host: str) -> str:
        return f"rediss://{host}:{self.port}/0"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("tls")
    made = World(folder)
    command = ["redis-server", "--port", "0", "--tls-port", str(made.port), "--bind", "127.0.0.1"]
    command += ["--tls-cert-file", str(made.certificate), "--tls-key-file", str(made.key)]
    command += ["--tls-ca-cert-file", str(made.authority), "--tls-auth-clients", "yes"]
    command += ["--save", "", "--dir", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if "Ready to accept connections" in line:
                break
        yield made
        process.kill()


async def kept_and_found(url: str, tls: RedisTls) -> bytes:
    tls.check()
    store = redis_store(url, WITHIN_S, tls)
    try:
        await store.set("name", b"content", 60.0)
        return (await store.get("name", 4)).content
    finally:
        await store.close()


async def pinged(url: str, tls: RedisTls) -> bool:
    client = connect(url, WITHIN_S, tls)
    try:
        return bool(await client.ping())
    finally:
        await client.aclose()


async def test_the_named_server_is_believed(world: World) -> None:
    assert await kept_and_found(world.url("localhost"), world.tls()) == b"cont"
    assert await pinged(world.url("localhost"), world.tls())


@pytest.mark.parametrize(
    "case", ["another name", "another authority", "the system's", "no certificate"]
)
async def test_any_other_is_not(world: World, case: str) -> None:
    url, tls = world.url("localhost"), world.tls()
    if case == "another name":
        url = world.url("127.0.0.1")
    elif case == "another authority":
        tls = world.tls(world.stranger)
    elif case == "the system's":
        tls = RedisTls()
    else:
        tls = world.tls(shown=False)
    for asked in (kept_and_found, pinged):
        with pytest.raises((RedisError, OSError)):
            await asked(url, tls)
