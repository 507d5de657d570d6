"""Ports and folders from the environment."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from local_stack import parts
from local_stack.environment import SettingsError, from_environment, refuse_shared_ports
from local_stack.erasing import key_of
from local_stack.flink_job import job_arguments
from local_stack.settings import StackSettings
from pinot_config.tables import load_tables
from stream_jobs.events.erased_accounts import read_key
from stream_jobs.topics.names import NAMES
from stream_jobs.topics.topic import Environment, load_topics
from tests.long.cluster import OWN_PORTS


def test_without_variables_the_defaults_hold() -> None:
    assert from_environment({}) == StackSettings()
    assert StackSettings().gateway_url == "http://127.0.0.1:8000"


def test_a_port_and_the_folder_can_be_moved(tmp_path: Path) -> None:
    settings = from_environment({"STACK_KAFKA_PORT": "12345", "STACK_STATE": str(tmp_path)})
    assert settings.kafka_servers == "127.0.0.1:12345"
    assert settings.data == tmp_path / "data"
    assert settings.jars == StackSettings().jars  # downloads are shared


@pytest.mark.parametrize("text", ["", "many", "0", "65536", "-1", "8000.5", "²"])
def test_a_malformed_port_is_refused_by_name(text: str) -> None:
    with pytest.raises(SettingsError, match=r"STACK_KAFKA_PORT is '.*'; it must be a port"):
        from_environment({"STACK_KAFKA_PORT": text})


def test_a_port_used_twice_is_refused_with_both_names() -> None:
    with pytest.raises(
        SettingsError, match="STACK_GATEWAY_PORT and STACK_KAFKA_PORT are both 8000"
    ):
        from_environment({"STACK_KAFKA_PORT": "8000"})


def test_every_default_port_is_its_own() -> None:
    ports = StackSettings().ports()
    assert len(set(ports.values())) == len(ports) == 15


def test_a_misspelt_setting_is_pointed_out() -> None:
    with pytest.raises(SettingsError, match="no setting STACK_KAFKA_PROT; is STACK_KAFKA_PORT"):
        from_environment({"STACK_KAFKA_PROT": "1"})
    assert from_environment({"STACK_OVERFLOW": "1"}) == StackSettings()


def test_all_who_judge_events_are_told_the_currency() -> None:
    settings = from_environment({"STACK_CURRENCY": "EUR"})
    told = (job_arguments(settings, 2), parts.audit(settings).argv)
    assert all(list(words)[-2:] == ["--currency", "EUR"] for words in told)
    assert "--currency" not in job_arguments(StackSettings(), 2)


def test_the_job_is_told_of_erased_accounts_and_whoever_compares_has_the_key(
    tmp_path: Path,
) -> None:
    told = {"STACK_STATE": str(tmp_path), "STACK_ERASED_ACCOUNTS": "refused"}
    key = ["--erasure-key", str(tmp_path / "data/erasure.key")]
    settings = from_environment(told)
    assert job_arguments(settings, 2)[-4:] == ["--erased-accounts", "refused", *key]
    assert parts.audit(settings).argv[-2:] == key
    kept = from_environment({**told, "STACK_ERASED_ACCOUNTS": ""})
    assert "--erased-accounts" not in job_arguments(kept, 2)
    assert "--erasure-key" not in parts.audit(kept).argv
    assert key_of(kept) == tmp_path / "data/erasure.key"
    assert len(read_key("--erasure-key", key_of(kept))) == 64
    assert parts.audit(kept).argv[-2:] == key
    assert "--erasure-key" not in job_arguments(kept, 2)
    with pytest.raises(SettingsError, match="must be kept, pseudonymised or refused"):
        from_environment({"STACK_ERASED_ACCOUNTS": "gone"})


def test_tracker_and_audit_are_each_the_only_one_unless_they_are_given_a_lease() -> None:
    several = from_environment({"STACK_LEASE_S": "10"})
    for made in (parts.progress, parts.audit):
        assert made(several).argv[-2:] == ["--lease", "10"]
        assert "--lease" not in made(StackSettings()).argv
        assert made(replace(StackSettings(), cluster=True)).argv[-2:] == ["--lease", "10"]


@pytest.mark.parametrize("text", ["eur", "EU", "EUR ", "€", "--help"])
def test_a_currency_that_is_no_code_is_refused_by_name(text: str) -> None:
    with pytest.raises(SettingsError, match=r"STACK_CURRENCY is '.*'; it must be a code"):
        from_environment({"STACK_CURRENCY": text})


@pytest.mark.parametrize(
    "name", ["STACK_JOB_TRANSACTION_TIMEOUT_S", "STACK_TRANSACTIONAL_ID_EXPIRATION_S"]
)
def test_times_are_whole_seconds_that_kafka_can_take(name: str) -> None:
    assert from_environment({name: "70"}) != StackSettings()
    for text in ("0", "1.5", "-1", str(25 * 86_400)):
        with pytest.raises(SettingsError, match=name):
            from_environment({name: text})


def test_ids_are_looked_for_sooner_where_they_live_for_less() -> None:
    told = from_environment({"STACK_TRANSACTIONAL_ID_EXPIRATION_S": "70"}).placeholders()
    assert told["transactional_id_expiration_ms"] == "70000"
    assert told["transactional_id_cleanup_ms"] == "7000"
    assert StackSettings().placeholders()["transactional_id_cleanup_ms"] == "3600000"


def test_a_cluster_has_several_of_most_parts_each_on_ports_of_its_own() -> None:
    cluster = replace(StackSettings(), cluster=True)
    assert cluster.kafka_servers == "127.0.0.1:19092,127.0.0.1:19192,127.0.0.1:19292"
    assert cluster.pinot_broker_urls == "http://127.0.0.1:18099,http://127.0.0.1:18199"
    assert [each.gateway_url for each in cluster.instances("gateway")] == [
        "http://127.0.0.1:8000",
        "http://127.0.0.1:8100",
    ]
    third = cluster.of_instance(3)
    assert (third.part_name("kafka"), third.folder_suffix) == ("kafka_3", "-3")
    assert third.kafka_servers == cluster.kafka_servers
    assert third.of_instance(1) == cluster
    assert len(cluster.instances("zookeeper")) == 1


def test_without_it_there_is_one_of_each() -> None:
    one = StackSettings()
    assert one.instances("kafka") == [one]
    assert (one.part_name("kafka"), one.folder_suffix) == ("kafka", "")
    assert one.pinot_controller_urls == one.pinot_controller_url


def test_every_port_of_a_cluster_is_its_own_and_told_by_what_sets_it() -> None:
    ports = replace(StackSettings(), cluster=True).ports()
    assert len(set(ports.values())) == len(ports) == 28
    assert ports["STACK_KAFKA_PORT + 200"] == 19292
    clashing = replace(StackSettings(), cluster=True, metrics_port=19192)
    with pytest.raises(
        SettingsError, match=r"STACK_METRICS_PORT and STACK_KAFKA_PORT \+ 100 are both 19192"
    ):
        refuse_shared_ports(clashing)


def test_every_command_knows_a_cluster_by_the_mark_among_its_data(tmp_path: Path) -> None:
    state = {"STACK_STATE": str(tmp_path)}
    assert not from_environment(state).cluster
    mark = from_environment(state).cluster_mark
    mark.parent.mkdir()
    mark.touch()
    found = from_environment(state)
    assert found.cluster
    assert (found.environment, found.profiles) == ("cluster", ["cluster"])


def test_a_cluster_has_as_many_partitions_as_the_files_of_its_topics_say() -> None:
    values = replace(StackSettings(), cluster=True).table_values
    (entries,) = (
        topic for topic in load_topics(Environment.CLUSTER) if topic.name == NAMES.entries_topic
    )
    assert int(values["ACCOUNT_ENTRIES_PARTITIONS"]) == entries.partitions
    assert load_tables(values)
    assert StackSettings().table_values == {}


@pytest.mark.parametrize("secure", [False, True])
def test_the_stack_of_the_cluster_s_test_has_ports_enough(secure: bool) -> None:
    ports = {name: str(port) for name, port in OWN_PORTS.items()}
    refuse_shared_ports(replace(from_environment(ports), cluster=True, secure=secure))
