"""Settings become each client's configuration, what cannot work is refused, and a secret is told to nobody."""

from __future__ import annotations

from pathlib import Path

import pytest

from stream_jobs.job.settings import JobSettings
from stream_jobs.job.statements import statements
from stream_jobs.secret_files import AccessError
from stream_jobs.topics.access import FLINK_PACKAGE, kafka_access

SERVERS = "kafka-1.example.org:9093,kafka-2.example.org:9093"
PASSWORD = "c0rrect-h0rse"


@pytest.fixture
def scram(tmp_path: Path) -> dict[str, str]:
    file = tmp_path / "job.password"
    file.write_text(PASSWORD)
    return {
        "KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
        "KAFKA_SASL_MECHANISM": "SCRAM-SHA-512",
        "KAFKA_SASL_USERNAME": "job",
        "KAFKA_SASL_PASSWORD_FILE": str(file),
        "KAFKA_SSL_CA_FILE": "/etc/kafka/ca.pem",
    }


PATIENCE = {
    "socket.connection.setup.timeout.ms": "60000",
    "socket.connection.setup.timeout.max.ms": "60000",
}
MTLS = {
    "KAFKA_SECURITY_PROTOCOL": "SSL",
    "KAFKA_SSL_CERT_FILE": "/etc/kafka/tls.crt",
    "KAFKA_SSL_KEY_FILE": "/etc/kafka/tls.key",
}


def test_nothing_given_is_clear_text() -> None:
    access = kafka_access("127.0.0.1:9092", {})
    assert access.client() == {}
    assert access.java_client() == {}


def test_scram_for_librdkafka(scram: dict[str, str]) -> None:
    assert kafka_access(SERVERS, scram).client() == {
        "security.protocol": "SASL_SSL",
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.username": "job",
        "sasl.password": PASSWORD,
        "ssl.ca.location": "/etc/kafka/ca.pem",
        "ssl.endpoint.identification.algorithm": "https",
    }


def test_a_newline_at_the_end_of_a_password_file_is_not_of_the_password(
    scram: dict[str, str],
) -> None:
    Path(scram["KAFKA_SASL_PASSWORD_FILE"]).write_text(PASSWORD + "\n")
    access = kafka_access(SERVERS, scram)
    assert access.client()["sasl.password"] == PASSWORD
    with pytest.raises(AccessError, match="holds a newline"):
        access.java_client()  # Kafka's own client takes the file as it is


def test_a_rotated_password_is_read_anew(scram: dict[str, str]) -> None:
    access = kafka_access(SERVERS, scram)
    Path(scram["KAFKA_SASL_PASSWORD_FILE"]).write_text("another")
    assert access.password() == "another"


def test_mtls_for_librdkafka() -> None:
    assert kafka_access(SERVERS, MTLS).client() == {
        "security.protocol": "SSL",
        "ssl.certificate.location": "/etc/kafka/tls.crt",
        "ssl.key.location": "/etc/kafka/tls.key",
        "ssl.endpoint.identification.algorithm": "https",
    }


def test_flinks_client_is_told_where_the_secret_lies_not_what_it_is(scram: dict[str, str]) -> None:
    file = Path(scram["KAFKA_SASL_PASSWORD_FILE"])
    assert kafka_access(SERVERS, scram).java_client(FLINK_PACKAGE) == {
        "security.protocol": "SASL_SSL",
        **PATIENCE,
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.jaas.config": (
            "org.apache.flink.kafka.shaded.org.apache.kafka.common.security.scram.ScramLoginModule required "
            f'username="job" password="${{files:{file.parent}:{file.name}}}";'
        ),
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": "/etc/kafka/ca.pem",
        "config.providers": "files",
        "config.providers.files.class": (
            "org.apache.flink.kafka.shaded.org.apache.kafka.common.config.provider.DirectoryConfigProvider"
        ),
    }


def test_a_certificate_for_javas_client_by_reference_or_as_one_file() -> None:
    two = kafka_access(SERVERS, MTLS).java_client()
    assert two["ssl.keystore.key"] == "${files:/etc/kafka:tls.key}"
    assert two["ssl.keystore.certificate.chain"] == "${files:/etc/kafka:tls.crt}"
    one = {**MTLS, "KAFKA_SSL_KEY_FILE": MTLS["KAFKA_SSL_CERT_FILE"]}
    assert kafka_access(SERVERS, one).java_client() == {
        "security.protocol": "SSL",
        **PATIENCE,
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": "/etc/kafka/tls.crt",
    }


@pytest.mark.parametrize("given", ["file", "variable"])
def test_a_password_is_in_no_repr_and_no_statement_of_the_job(
    given: str, scram: dict[str, str]
) -> None:
    if given == "variable":
        del scram["KAFKA_SASL_PASSWORD_FILE"]
        scram["KAFKA_SASL_PASSWORD"] = PASSWORD
    access = kafka_access(SERVERS, scram)
    assert access.client()["sasl.password"] == PASSWORD
    assert PASSWORD not in repr(access) + str(access) + access.who
    settings = JobSettings(SERVERS, "f:1", Path("p"), "file:///c", "file:///s", access=access)
    assert PASSWORD not in repr(settings)
    if given == "variable":
        with pytest.raises(AccessError, match="KAFKA_SASL_PASSWORD_FILE must be set") as refusal:
            statements(settings)
        assert PASSWORD not in str(refusal.value)
    else:
        said = "\n".join(statements(settings))
        assert said.count("'properties.sasl.jaas.config' = ") == 4
        assert PASSWORD not in said


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"KAFKA_SECURITY_PROTOCOL": "TLS"}, "must be one of PLAINTEXT, SSL, SASL_SSL"),
        ({"KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT"}, "to loopback only; use SASL_SSL"),
        ({"KAFKA_SECURITY_PROTOCOL": ""}, "nobody would be logged in"),
        ({"KAFKA_SECURITY_PROTOCOL": "SSL"}, "nobody would be logged in"),
        ({"KAFKA_SASL_MECHANISM": "GSSAPI"}, "must be one of PLAIN, SCRAM-SHA-256"),
        ({"KAFKA_SASL_USERNAME": ""}, "KAFKA_SASL_USERNAME must be set"),
        ({"KAFKA_SASL_PASSWORD_FILE": ""}, "one of KAFKA_SASL_PASSWORD_FILE and"),
        ({"KAFKA_SASL_PASSWORD": PASSWORD}, "one of KAFKA_SASL_PASSWORD_FILE and"),
        ({"KAFKA_SSL_KEY_FILE": "/k"}, "both must be set, or neither"),
        ({"KAFKA_SASL_USER": "x"}, "did you mean KAFKA_SASL_USERNAME"),
    ],
)
def test_what_cannot_work_is_refused_by_name(
    change: dict[str, str], told: str, scram: dict[str, str]
) -> None:
    with pytest.raises(AccessError, match=told) as refusal:
        kafka_access(SERVERS, {**scram, **change})
    assert PASSWORD not in str(refusal.value)


def test_a_password_goes_in_clear_text_over_loopback(scram: dict[str, str]) -> None:
    given = {**scram, "KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT"}
    del given["KAFKA_SSL_CA_FILE"]
    for servers in ("127.0.0.1:9092", "localhost:9092,[::1]:9092"):
        assert kafka_access(servers, given).client()["sasl.password"] == PASSWORD
    for servers in ("10.0.0.7:9092", "localhost:9092,10.0.0.7:9092", "localhost.example.org:9092"):
        with pytest.raises(AccessError):
            kafka_access(servers, given)


@pytest.mark.parametrize("content", ['has"quote', "back\\slash", "two\nlines"])
def test_a_password_that_would_break_out_of_javas_quotes_is_refused(
    content: str, scram: dict[str, str]
) -> None:
    Path(scram["KAFKA_SASL_PASSWORD_FILE"]).write_text(content)
    with pytest.raises(AccessError, match="quote or a backslash") as refusal:
        kafka_access(SERVERS, scram).java_client()
    assert content not in str(refusal.value)


def test_a_password_file_that_everybody_may_write_is_refused(scram: dict[str, str]) -> None:
    Path(scram["KAFKA_SASL_PASSWORD_FILE"]).chmod(0o666)
    with pytest.raises(AccessError, match="everybody may write: chmod o-w"):
        kafka_access(SERVERS, scram).client()


def test_a_password_file_that_is_not_there_is_named(scram: dict[str, str]) -> None:
    Path(scram["KAFKA_SASL_PASSWORD_FILE"]).unlink()
    with pytest.raises(AccessError, match=r"KAFKA_SASL_PASSWORD_FILE names .*job\.password"):
        kafka_access(SERVERS, scram).client()
