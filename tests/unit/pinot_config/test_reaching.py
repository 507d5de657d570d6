"""How Pinot's servers reach Kafka stands in the tables by the places of the secrets."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pinot_config.tables import load_tables, reaching
from stream_jobs.topics.access import kafka_access

SCRAM = {
    "KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
    "KAFKA_SASL_MECHANISM": "SCRAM-SHA-256",
    "KAFKA_SASL_USERNAME": "pinot",
    "KAFKA_SSL_CA_FILE": "/etc/kafka/ca.pem",
}


def test_every_table_is_told_how_and_nothing_else_changes(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("s3cret")
    access = kafka_access(
        "k:9093", {**SCRAM, "KAFKA_SASL_PASSWORD_FILE": str(tmp_path / "password")}
    )
    for table in load_tables({}):
        secured = reaching(table, access.java_client())
        before = dict(table.table_config["tableIndexConfig"]["streamConfigs"])
        after = dict(secured.table_config["tableIndexConfig"]["streamConfigs"])
        assert before.items() <= after.items()
        assert {name: after[name] for name in after.keys() - before.keys()} == access.java_client()
        assert "security.protocol" not in before  # the one that was handed in stays as it was
        assert "s3cret" not in json.dumps(secured.table_config)


def test_a_value_that_pinot_would_replace_is_refused() -> None:
    access = kafka_access(
        "k:9093",
        {
            "KAFKA_SECURITY_PROTOCOL": "SSL",
            "KAFKA_SSL_CERT_FILE": "/etc/kafka/tls.crt",
            "KAFKA_SSL_KEY_FILE": "/etc/kafka/tls.key",
        },
    )
    with pytest.raises(ValueError, match="one PEM file that holds the key and the certificate"):
        reaching(load_tables({})[0], access.java_client())
