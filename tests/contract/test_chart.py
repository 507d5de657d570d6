"""The chart's values, schema and templates agree, without helm; `tests/kubernetes` has helm and a cluster judge them."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from dataclasses import fields
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator

from gateway.settings import Settings
from gateway.settings.kinds import file_variable, is_confidential, variable
from local_stack import chart, chart_kafka, images
from local_stack.settings import StackSettings
from pinot_config.tables import OVERLAYS
from stream_jobs.topics.acls.rules import parts
from stream_jobs.topics.names import Names
from stream_jobs.topics.topic import load_topics

SCHEMA: dict[str, Any] = json.loads(chart.SCHEMA.read_text())
VALUES = chart.values()
OTHERS = sorted(chart.FOLDER.glob("values-*.yaml"))
TEMPLATES = {
    file.name: file.read_text()
    for file in (chart.FOLDER / "templates").rglob("*")
    if file.suffix in (".yaml", ".tpl", ".txt")
}
REFERENCE = re.compile(r"\$(?:root|)?\.Values\.([\w.]+)|(?<![\w$)])\.Values\.([\w.]+)")
ALIAS = re.compile(r"\$(\w+) := (?:\$root)?\.Values\.([\w.]+) ")


def wrong_with(values: dict[str, Any]) -> list[str]:
    return [error.message for error in Draft7Validator(SCHEMA).iter_errors(values)]


def changed(path: str, value: object) -> dict[str, Any]:
    """The default values with one of them another."""
    values = copy.deepcopy(VALUES)
    *folders, last = path.split(".")
    node = values
    for name in folders:
        node = node.setdefault(name, {})
    node[last] = value
    return values


def resolved(node: dict[str, Any]) -> dict[str, Any]:
    if "$ref" in node:
        name = node["$ref"].rsplit("/", 1)[-1]
        found: dict[str, Any] = SCHEMA["definitions"][name]
        return found
    return node


def names_in_schema(path: str) -> bool:
    node = SCHEMA
    for name in path.split("."):
        node = resolved(node)
        if "properties" not in node:
            return node.get("type") == "object"
        if name not in node["properties"]:
            return False
        node = node["properties"][name]
    return True


def leaves(node: object, path: str = "") -> Iterator[str]:
    if isinstance(node, dict) and node:
        for name, below in node.items():
            yield from leaves(below, f"{path}.{name}" if path else name)
    else:
        yield path


def references() -> set[tuple[str, str]]:
    """Each value that a template names, with the template; through `$g := .Values.gateway` as well."""
    found = set()
    for file, text in TEMPLATES.items():
        aliases = dict(ALIAS.findall(text))
        found |= {(file, one or other) for one, other in REFERENCE.findall(text)}
        for alias, path in aliases.items():
            named = re.findall(rf"\${alias}\.([A-Za-z][\w.]*)", text)
            found |= {(file, f"{path}.{each}") for each in named}
    return found


def test_the_schema_is_itself_one() -> None:
    Draft7Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("file", OTHERS, ids=lambda each: each.name)
def test_every_file_of_values_is_what_the_schema_allows(file: Any) -> None:
    assert wrong_with(yaml.safe_load(file.read_text())) == []


def test_the_defaults_are_what_the_schema_allows_and_name_each_value_that_it_has() -> None:
    assert wrong_with(VALUES) == []

    def undefaulted(node: dict[str, Any], values: object, path: str) -> Iterator[str]:
        for name, below in node.get("properties", {}).items():
            if not isinstance(values, dict) or name not in values:
                yield f"{path}{name}"
            elif "$ref" not in below:
                yield from undefaulted(below, values[name], f"{path}{name}.")

    assert list(undefaulted(SCHEMA, VALUES, "")) == ["global"]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("gatewya", {}),
        ("gateway.replica", 3),
        ("gateway.replicas", "three"),
        ("gateway.replicas", 0),
        ("gateway.store", "postgres"),
        ("tracker.replicas", 0),
        ("audit.replicas", "two"),
        ("audit.leaseSeconds", 5),
        ("tracker.leaseSeconds", 61),
        ("gateway.auth.methods", "off"),
        ("gateway.settings", {"GATEWAY_MAX_FRIST": 10}),
        ("gateway.settings", {"GATEWAY_MAX_FIRST": "many"}),
        ("gateway.settings", {"GATEWAY_SIGNING_KEYS": "a secret in plain sight"}),
        ("gateway.extraEnv", [{"value": "without a name"}]),
        ("images.pullPolicy", "Sometimes"),
        ("pinot.brokerUrl", "pinot:8099"),
        ("pipeline.suffix", "Not-A-Suffix"),
        ("pipeline.currency", "euro"),
        ("job.mode", "session"),
        ("job.flinkDeployment.upgradeMode", "stateless"),
        ("job.parallelism", 129),
        ("job.state.accessModes", []),
        ("bootstrap.environment", "staging"),
        ("demo.traffic.eventsPerSecond", 0),
        ("strimzi.enabled", "yes"),
        ("strimzi.clusterName", "events"),
        ("strimzi.apiVersion", "v1beta1"),
        ("strimzi.waitSeconds", 0),
        ("strimzi.users.authentication", "plain"),
        ("strimzi.users.names", {"gateway": "gateway"}),
        ("strimzi.users.names", {"job": "Flink_Job"}),
        ("strimzi.users.except", ["gateway"]),
        ("gateway.autoscaling.by", "both"),
        ("gateway.autoscaling.keda.prometheus.serverAddress", "prometheus:9090"),
        ("gateway.autoscaling.keda.prometheus.perReplica", 0),
        ("gateway.autoscaling.keda.prometheus.metadata", {"ignoreNullValues": True}),
        ("gateway.autoscaling.keda.prometheus.authentication.kind", "Secret"),
        ("gateway.autoscaling.keda.cooldown", 5),
        ("archive.replicas", 2),
        ("archive.folder", "/archive"),
        ("archive.ageSeconds", 0),
        ("archive.volume.accessModes", []),
        ("archive.networkPolicy.to", []),
        ("bootstrap.tablesEnv", [{"value": "without a name"}]),
        ("job.flinkDeployment.memoryLimitFactor", 0.5),
        ("job.flinkDeployment.serviceAccount", ""),
        ("tracker.priorityClassName", 7),
    ],
)
def test_a_wrong_value_is_refused(path: str, value: object) -> None:
    assert wrong_with(changed(path, value)) != []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("strimzi.apiVersion", "v1beta2"),
        ("strimzi.users.authentication", "none"),
        ("strimzi.users.names", {"job": "flink.blue-1", "producer": "p"}),
        ("strimzi.users.except", ["producer", "pinot"]),
        ("gateway.autoscaling.by", "keda"),
        ("gateway.autoscaling.behavior", {"scaleDown": {"stabilizationWindowSeconds": 600}}),
        ("gateway.autoscaling.keda.prometheus.serverAddress", "https://prometheus.example:9090/p"),
        ("gateway.autoscaling.keda.prometheus.perReplica", 2.5),
        ("gateway.autoscaling.keda.prometheus.metadata", {"ignoreNullValues": "false"}),
        ("archive.folder", "s3://bucket/folder?region=eu-central-1"),
        ("archive.networkPolicy.from", [{"namespaceSelector": {}}]),
        ("job.flinkDeployment.flinkVersion", "v2_2"),
        ("job.flinkDeployment.jobManagerCpu", 0.25),
        ("prometheusRule.thresholds", {"archive_lag_seconds": 10_800}),
        ("bootstrap.tablesEnv", [{"name": "KAFKA_SASL_USERNAME", "value": "pinot"}]),
    ],
)
def test_a_good_value_is_taken(path: str, value: object) -> None:
    assert wrong_with(changed(path, value)) == []


def test_every_value_that_a_template_names_there_is() -> None:
    named = references()
    assert len(named) > 100
    assert sorted((file, path) for file, path in named if not names_in_schema(path)) == []


def test_every_value_there_is_is_used_by_a_template() -> None:
    text = "\n".join(TEMPLATES.values())
    unused = [
        path
        for path in leaves(VALUES)
        if not path.startswith(("prometheusRule", "dashboards"))
        and not re.search(rf"\.{path.rsplit('.', 1)[-1]}\b", text)
        # Objects that are taken whole, such as resources.
        and not any(
            re.search(rf"toYaml [$.\w]*\.{part}\b|\.{part} \| nindent|\.{part}\b", text)
            for part in path.split(".")[1:-1]
        )
    ]
    assert unused == []


def test_the_gateways_settings_are_all_there_and_its_secrets_only_as_files() -> None:
    there = set(SCHEMA["definitions"]["gatewaySettings"]["properties"])
    wanted = {
        file_variable(name) if is_confidential(setting) else variable(name)
        for name, setting in Settings.model_fields.items()
    }
    assert there == wanted


def test_every_part_can_be_given_variables_files_and_volumes_of_its_own() -> None:
    for part in ("gateway", "bootstrap", "job", "tracker", "audit", "archive"):
        assert VALUES[part].keys() >= {
            *("extraEnv", "extraEnvFrom", "extraVolumes", "extraVolumeMounts"),
            *("nodeSelector", "tolerations", "affinity", "priorityClassName"),
            "image",
        }


def test_every_name_but_the_tables_can_be_anothers() -> None:
    """Of tables the gateway knows the suffix alone."""
    options = SCHEMA["properties"]["pipeline"]["properties"]["names"]["propertyNames"]["enum"]
    names = [each.name for each in fields(Names) if not each.name.endswith("_table")]
    assert options == list(map(chart_kafka.camel, names))


def test_the_parts_that_have_users_are_those_of_the_acls() -> None:
    users = SCHEMA["properties"]["strimzi"]["properties"]["users"]["properties"]
    assert users["names"]["propertyNames"]["enum"] == list(parts())
    assert users["except"]["items"]["enum"] == list(parts())


def test_what_an_operator_of_kafka_is_asked_for_is_what_the_files_say() -> None:
    """And in which environments; `tests/kubernetes` has helm put the names in."""
    assert chart_kafka.FILE.read_text() == chart_kafka.text(), "run ./dev docs"
    environments = SCHEMA["properties"]["bootstrap"]["properties"]["environment"]["enum"]
    assert sorted(environments) == sorted(map(str, chart_kafka.ENVIRONMENTS))
    said = yaml.safe_load(chart_kafka.text())
    for environment in chart_kafka.ENVIRONMENTS:
        found = {each["resource"]: each for each in said["topics"][environment]}
        assert found["transactions"]["name"] == "{transactionsTopic}"
        assert found["account-entries{suffix}"]["name"] == "{entriesTopic}"
        assert len(found) == len(load_topics(environment))
    allowed = [each["resource"].get("name") for each in said["users"]["job"]]
    assert {"{group}-gaps", "{job}-entries", "{uncountedTopic}", None} <= set(allowed)


def test_the_overlays_that_the_chart_takes_there_are() -> None:
    taken = SCHEMA["properties"]["bootstrap"]["properties"]["tableOverlays"]["items"]["enum"]
    assert tuple(taken) == OVERLAYS
    assert set(VALUES["bootstrap"]["tableOverlays"]) <= set(OVERLAYS)


def test_the_chart_runs_the_version_that_the_images_are_built_with() -> None:
    told = yaml.safe_load((chart.FOLDER / "Chart.yaml").read_text())
    assert told["appVersion"] == images.version()


def test_every_pod_is_as_the_restricted_standard_has_it_and_gets_no_services_variables() -> None:
    pods = [
        (file, text)
        for file, text in TEMPLATES.items()
        if "containers:" in text and file != "job-operator.yaml"
    ]
    assert len(pods) >= 6
    for file, text in pods:
        count = len(re.findall(r"^ *(?:initC|c)ontainers:", text, re.MULTILINE))
        assert text.count('include "pa.pod"') >= count - text.count("initContainers:"), file
        containers = len(re.findall(r"^ +- name: \w+\n +image: ", text, re.MULTILINE))
        assert text.count('include "pa.containerSecurity"') >= containers, file
    helpers = TEMPLATES["_helpers.tpl"]
    for wanted in (
        *("enableServiceLinks: false", "automountServiceAccountToken: false"),
        *("runAsNonRoot: true", "readOnlyRootFilesystem: true", "allowPrivilegeEscalation: false"),
        *("drop: [ALL]", "type: RuntimeDefault"),
    ):
        assert wanted in helpers


def test_the_demos_kafka_is_set_as_the_local_stacks_but_for_where_it_is() -> None:
    """What a check of ours asks of a broker has to hold there, too: a demo that is refused shows nothing."""

    def told(text: str) -> dict[str, str]:
        lines = [line.strip() for line in text.splitlines()]
        return dict(line.split("=", 1) for line in lines if re.match(r"[a-z.]+=", line))

    mine = told(
        TEMPLATES["demo.yaml"].partition("kafka.properties: |")[2].partition("zookeeper")[0]
    )
    local = told((chart.FOLDER.parents[1] / "local_stack/conf/kafka.properties").read_text())
    assert local.keys() - mine.keys() <= {
        "num.partitions",
        "transaction.remove.expired.transaction.cleanup.interval.ms",
    }
    fixed = {name: value for name, value in local.items() if "${" not in value}
    rendered = {"transaction.max.timeout.ms", "num.partitions"}
    assert {name: mine[name] for name in fixed.keys() - rendered} == {
        name: fixed[name] for name in fixed.keys() - rendered
    }
    life_ms = 1000 * StackSettings().transactional_id_expiration_s
    assert int(mine["transactional.id.expiration.ms"]) == life_ms
