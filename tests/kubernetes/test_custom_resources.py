"""What the chart renders for operators of others: by their own schemas strictly, and what is asked is what our files say."""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from stream_jobs.topics.acls.rules import Acl, parts, wanted
from stream_jobs.topics.names import NAMES, Names, beside
from stream_jobs.topics.topic import Environment, load_topics
from tests.kubernetes.cluster import Helm
from tests.kubernetes.rendered import (
    EXTERNAL,
    KEDA,
    MATRIX,
    OPERATORS,
    STRIMZI,
    arguments,
    by_name,
    is_custom,
    pods,
)
from tests.kubernetes.schemas import Kind, Schema

# The newest that the operator's served schema knows; what the chart's own default needs, docs/kubernetes.md says.
FLINK = ("--set", "job.flinkDeployment.flinkVersion=v1_20")
PROMETHEUS = ("--set", "gateway.autoscaling.keda.prometheus.serverAddress=http://prometheus:9090")
KINDS = {
    *("FlinkDeployment", "HTTPRoute", "KafkaTopic", "KafkaUser", "PrometheusRule"),
    *("ScaledObject", "ServiceMonitor"),
}
Resource = dict[str, Any]


def of_kind(resources: list[Resource], kind: str) -> list[Resource]:
    return [each for each in resources if each["kind"] == kind]


def test_every_custom_resource_is_what_its_own_schema_allows(
    helm: Helm, schemas: dict[Kind, Schema]
) -> None:
    judged = set()
    for options in ((*OPERATORS, *FLINK), MATRIX["everything"]):
        for each in filter(is_custom, helm.template(*options)):
            assert schemas[each["apiVersion"], each["kind"]].faults(each) == []
            judged.add(each["kind"])
    assert judged == KINDS


def test_both_versions_of_strimzis_resources_are_what_their_schemas_allow(
    helm: Helm, schemas: dict[Kind, Schema]
) -> None:
    for version in ("v1", "v1beta2"):
        for authentication in ("scram-sha-512", "tls", "tls-external", "none"):
            given = f"strimzi.apiVersion={version},strimzi.users.authentication={authentication}"
            judged = list(filter(is_custom, helm.template(*STRIMZI, "--set", given)))
            assert {each["apiVersion"] for each in judged} == {f"kafka.strimzi.io/{version}"}
            for each in judged:
                assert schemas[each["apiVersion"], each["kind"]].faults(each) == []


@pytest.mark.parametrize(
    ("kind", "path", "value", "message"),
    [
        ("FlinkDeployment", "spec.job.upgrade", "savepoint", "'upgrade' was unexpected"),
        ("FlinkDeployment", "spec.job.upgradeMode", "never", "'never' is not one of"),
        ("FlinkDeployment", "spec.podTemplate.spec.volume", [], "'volume' was unexpected"),
        ("FlinkDeployment", "spec.job.parallelism", "two", "'two' is not of type 'integer'"),
        ("HTTPRoute", "spec.parents", [], "'parents' was unexpected"),
        ("HTTPRoute", "spec.hostnames", "api.example.org", "is not of type 'array'"),
        ("KafkaTopic", "spec.partition", 4, "'partition' was unexpected"),
        ("KafkaTopic", "spec.partitions", 0, "0 is less than the minimum of 1"),
        ("KafkaUser", "spec.authorization.acl", [], "'acl' was unexpected"),
        ("KafkaUser", "spec.authorization.acls.0.operations", ["READ"], "'READ' is not one of"),
        ("KafkaUser", "spec.authentication.type", "plain", "'plain' is not one of"),
        ("PrometheusRule", "spec.groups.0.rules.0.alarm", "X", "'alarm' was unexpected"),
        ("PrometheusRule", "spec.groups.0.interval", "a minute", "'a minute' does not match"),
        ("ScaledObject", "spec.minReplicas", 2, "'minReplicas' was unexpected"),
        ("ScaledObject", "spec.triggers.0.metadata", {"value": 70}, "is not of type 'string'"),
        ("ServiceMonitor", "spec.endpoints.0.every", "15s", "'every' was unexpected"),
        ("ServiceMonitor", "spec.selector", "pods", "is not of type 'object'"),
    ],
)
def test_what_a_schema_does_not_allow_is_found(
    helm: Helm,
    schemas: dict[Kind, Schema],
    kind: str,
    path: str,
    value: object,
    message: str,
) -> None:
    resource = copy.deepcopy(of_kind(helm.template(*OPERATORS, *FLINK), kind)[-1])
    *above, last = path.split(".")
    node: Any = resource
    for name in above:
        node = node[int(name) if name.isdigit() else name]
    node[last] = value
    (fault,) = schemas[resource["apiVersion"], kind].faults(resource)
    assert message in fault


NAMED: dict[str, tuple[tuple[str, ...], Names, dict[str, str]]] = {
    "the first pipeline": ((), NAMES, {}),
    "a second one": (("--set", "pipeline.suffix=blue"), beside("blue"), {}),
    "names of one's own": (
        (
            *("--set", "pipeline.suffix=blue,pipeline.names.transactionsTopic=payments.v1"),
            *("--set", "pipeline.names.job=Count_It,pipeline.names.group=counters"),
            *("--set", "strimzi.users.names.job=flink"),
        ),
        replace(beside("blue"), transactions_topic="payments.v1", job="Count_It", group="counters"),
        {"job": "flink"},
    ),
}


@pytest.mark.parametrize("named", NAMED)
@pytest.mark.parametrize("environment", ["production", "local"])
def test_strimzi_is_asked_for_the_topics_of_the_files(
    helm: Helm, named: str, environment: str
) -> None:
    options, names, _ = NAMED[named]
    given = ("--set", f"bootstrap.environment={environment}")
    asked = of_kind(helm.template(*STRIMZI, *options, *given), "KafkaTopic")
    # What keeps its name in a second pipeline is the first one's.
    own = beside("x").called
    files = [
        topic
        for topic in load_topics(Environment(environment))
        if names is NAMES or own.get(topic.name, topic.name) != topic.name
    ]
    told = [each["spec"] for each in asked]
    assert sorted(told, key=lambda each: str(each["topicName"])) == sorted(
        (
            {
                "topicName": names.called.get(topic.name, topic.name),
                "partitions": topic.partitions,
                "replicas": topic.replication,
                "config": dict(topic.config),
            }
            for topic in files
        ),
        key=lambda each: str(each["topicName"]),
    )
    for each in asked:
        assert each["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}
        assert each["metadata"]["labels"]["strimzi.io/cluster"] == "events"


def test_where_the_cluster_has_no_topic_yet_no_other_number_of_partitions_is_missed(
    helm: Helm,
) -> None:
    """Without a cluster nothing is found there; what is found is compared on one."""
    known = ("--api-versions", "kafka.strimzi.io/v1/KafkaTopic")
    assert helm.template(*STRIMZI, *known) == helm.template(*STRIMZI)


def acls_of(user: Resource) -> set[Acl]:
    """What a KafkaUser may do, as our own rules say it."""
    kinds = {"transactionalId": "TRANSACTIONAL_ID"}
    operations = {"DescribeConfigs": "DESCRIBE_CONFIGS"}
    patterns = {"literal": "LITERAL", "prefix": "PREFIXED"}
    found = [
        Acl(
            user["metadata"]["name"],
            kinds.get(rule["resource"]["type"], rule["resource"]["type"].upper()),
            rule["resource"].get("name", "kafka-cluster"),
            patterns[rule["resource"].get("patternType", "literal")],
            operations.get(operation, operation.upper()),
        )
        for rule in user["spec"]["authorization"]["acls"]
        for operation in rule["operations"]
    ]
    assert len(found) == len(set(found))
    return set(found)


@pytest.mark.parametrize("named", NAMED)
def test_strimzi_is_asked_for_a_user_of_each_part_who_may_do_what_the_file_says(
    helm: Helm, named: str
) -> None:
    options, names, principals = NAMED[named]
    asked = of_kind(helm.template(*STRIMZI, *options), "KafkaUser")
    suffix = "" if names is NAMES else "-blue"
    called = {part: principals.get(part, part + suffix) for part in parts()}
    assert sorted(each["metadata"]["name"] for each in asked) == sorted(called.values())
    assert set().union(*map(acls_of, asked)) == wanted(parts(), names, called)


def test_users_are_left_out_and_looked_for_elsewhere_as_it_is_said(helm: Helm) -> None:
    given = "strimzi.namespace=kafka,strimzi.users.except={producer,pinot}"
    resources = helm.template(*STRIMZI, "--set", given)
    users = of_kind(resources, "KafkaUser")
    assert {each["metadata"]["name"] for each in users} == parts().keys() - {"producer", "pinot"}
    for each in [*users, *of_kind(resources, "KafkaTopic")]:
        assert each["metadata"]["namespace"] == "kafka"
    without = helm.template(*STRIMZI, "--set", "strimzi.users.enabled=false")
    assert of_kind(without, "KafkaUser") == []
    assert of_kind(without, "KafkaTopic") != []
    assert of_kind(helm.template(*EXTERNAL), "KafkaTopic") == []


def test_the_job_waits_for_strimzis_topics_and_changes_none(helm: Helm) -> None:
    """As a hook before the release it would wait for what comes with the release."""
    job = by_name(of_kind(helm.template(*STRIMZI), "Job"), "Job", "")
    assert "annotations" not in job["metadata"]
    steps = job["spec"]["template"]["spec"]["initContainers"]
    assert [each["name"] for each in steps] == ["topics", "tables"]
    assert "--wait-s=600" in steps[0]["args"]
    assert "--wait-s=600" not in steps[1]["args"]


def test_another_job_has_another_name_where_it_is_no_hook(helm: Helm) -> None:
    def name(*options: str) -> str:
        (job,) = of_kind(helm.template(*STRIMZI, *options), "Job")
        return str(job["metadata"]["name"])

    assert name() == name("--set", "gateway.replicas=5")
    assert name() != name("--set", "images.tag=next")


def test_the_tables_step_may_log_in_as_somebody_else(helm: Helm, tmp_path: Path) -> None:
    values = tmp_path / "values.yaml"
    user, tls = "KAFKA_SASL_USERNAME", {"name": "KAFKA_SECURITY_PROTOCOL", "value": "SASL_SSL"}
    bootstrap = {
        "extraEnv": [tls, {"name": user, "value": "bootstrap"}],
        "tablesEnv": [{"name": user, "value": "pinot"}],
    }
    values.write_text(yaml.safe_dump({"bootstrap": bootstrap}))
    (job,) = of_kind(helm.template(*EXTERNAL, "-f", str(values)), "Job")
    pod = job["spec"]["template"]["spec"]
    told = {each["name"]: each["env"] for each in (*pod["initContainers"], *pod["containers"])}
    assert {name: [each["name"] for each in env] for name, env in told.items()} == {
        "topics": [tls["name"], user],
        "tables": [user, tls["name"]],
        "check": [tls["name"], user],
    }
    users = {
        name: next(each["value"] for each in env if each["name"] == user)
        for name, env in told.items()
    }
    assert users == {"topics": "bootstrap", "tables": "pinot", "check": "bootstrap"}


def test_of_hpa_and_keda_there_is_one_and_the_deployment_says_no_number(helm: Helm) -> None:
    hpa = (*EXTERNAL, "--set", "gateway.autoscaling.enabled=true")
    for options, kind, other in (
        (hpa, "HorizontalPodAutoscaler", "ScaledObject"),
        (KEDA, "ScaledObject", "HorizontalPodAutoscaler"),
    ):
        resources = helm.template(*options)
        (scaled,) = of_kind(resources, kind)
        gateway = by_name(resources, "Deployment", "-gateway")
        assert scaled["spec"]["scaleTargetRef"]["name"] == gateway["metadata"]["name"]
        assert of_kind(resources, other) == []
        assert "replicas" not in gateway["spec"]


def test_keda_asks_prometheus_about_the_releases_own_gateways(helm: Helm) -> None:
    (scaled,) = of_kind(helm.template(*KEDA, *PROMETHEUS, "--namespace", "money"), "ScaledObject")
    cpu, prometheus = scaled["spec"]["triggers"]
    assert (cpu["type"], cpu["metadata"]) == ("cpu", {"value": "70"})
    assert prometheus["metadata"]["threshold"] == "100"
    assert prometheus["metadata"]["query"] == (
        'sum(rate(gateway_graphql_operations_total{namespace="money"}[2m]))'
    )


def test_what_keda_asks_and_how_are_values(helm: Helm, tmp_path: Path) -> None:
    prometheus = {
        "serverAddress": "https://prometheus:9090",
        "query": 'sum(gateway_store_queries{state="queued"})',
        "perReplica": 2.5,
        "metadata": {"authModes": "bearer"},
        "authentication": {"name": "prometheus", "kind": "ClusterTriggerAuthentication"},
    }
    values = tmp_path / "values.yaml"
    keda = {"cpu": False, "prometheus": prometheus}
    values.write_text(yaml.safe_dump({"gateway": {"autoscaling": {"keda": keda}}}))
    (scaled,) = of_kind(helm.template(*KEDA, "-f", str(values)), "ScaledObject")
    (trigger,) = scaled["spec"]["triggers"]
    assert trigger["authenticationRef"] == prometheus["authentication"]
    assert trigger["metadata"] == {
        "serverAddress": prometheus["serverAddress"],
        "query": prometheus["query"],
        "threshold": "2.5",
        "authModes": "bearer",
    }


def test_the_flink_operators_pods_have_what_the_jobs_have_elsewhere(helm: Helm) -> None:
    (job,) = of_kind(helm.template(*OPERATORS), "FlinkDeployment")
    template = job["spec"]["podTemplate"]
    assert template["spec"]["imagePullSecrets"] == [{"name": "pull"}]
    assert template["metadata"]["labels"]["team"] == "payments"
    (container,) = template["spec"]["containers"]
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    written = {each["value"] for each in container["env"] if each["name"].endswith("_DIR")}
    assert written == {"/tmp/log", "/tmp/pid"}  # in the container
    factor = "kubernetes.taskmanager.memory.limit-factor"
    assert job["spec"]["flinkConfiguration"][factor] == "1.6"
    given = r"job.flinkConfiguration.kubernetes\.taskmanager\.memory\.limit-factor=2"
    (own,) = of_kind(helm.template(*OPERATORS, "--set", given), "FlinkDeployment")
    assert own["spec"]["flinkConfiguration"][factor] == "2"


def test_alarms_of_an_archive_are_there_with_it_alone(helm: Helm) -> None:
    rules = (*EXTERNAL, "--set", "prometheusRule.enabled=true")

    def alarms(*options: str) -> set[str]:
        (rule,) = of_kind(helm.template(*rules, *options), "PrometheusRule")
        return {
            each["alert"]
            for group in rule["spec"]["groups"]
            for each in group["rules"]
            if "alert" in each
        }

    assert alarms("--set", "archive.enabled=true") - alarms() == {"ArchiveDown", "ArchiveBehind"}


def test_there_is_one_archiver_with_a_volume_that_outlives_the_release(helm: Helm) -> None:
    resources = helm.template(*EXTERNAL, "--set", "archive.enabled=true,pipeline.suffix=two")
    archive = by_name(resources, "StatefulSet", "-archive")["spec"]
    assert archive["replicas"] == 1
    told = arguments(resources, "StatefulSet", "-archive")
    assert told[:3] == ["--archive=/archive", "--kafka=kafka:9092", "follow"]
    assert "--pipeline=two" in told
    volumes = {each["name"]: each for each in archive["template"]["spec"]["volumes"]}
    claim = by_name(resources, "PersistentVolumeClaim", "-archive")["metadata"]
    assert claim["annotations"] == {"helm.sh/resource-policy": "keep"}
    assert volumes["archive"]["persistentVolumeClaim"] == {"claimName": claim["name"]}
    (policy,) = [
        each
        for each in of_kind(resources, "NetworkPolicy")
        if each["metadata"]["name"] == claim["name"]
    ]
    assert policy["spec"]["ingress"] == [{"ports": [{"port": "metrics", "protocol": "TCP"}]}]


def test_an_archive_in_an_object_store_or_on_a_claim_of_ones_own_makes_no_claim(helm: Helm) -> None:
    for given, where, claims in (
        ("archive.folder=s3://bucket/a?region=eu", "s3://bucket/a?region=eu", []),
        ("archive.volume.existingClaim=mine", "/archive", ["mine"]),
    ):
        resources = helm.template(*EXTERNAL, "--set", f"archive.enabled=true,{given}")
        assert f"--archive={where}" in arguments(resources, "StatefulSet", "-archive")
        assert [
            each["metadata"]["name"]
            for each in of_kind(resources, "PersistentVolumeClaim")
            if each["metadata"]["name"].endswith("-archive")
        ] == []
        volumes = by_name(resources, "StatefulSet", "-archive")["spec"]["template"]["spec"][
            "volumes"
        ]
        named = [
            each["persistentVolumeClaim"] for each in volumes if "persistentVolumeClaim" in each
        ]
        assert [each["claimName"] for each in named] == claims


def test_every_container_says_what_it_requests(helm: Helm) -> None:
    """A quota of a namespace refuses pods that do not."""
    judged = 0
    for pod in pods(helm.template(*OPERATORS)):
        for container in (*pod.get("initContainers", ()), *pod["containers"]):
            assert container["resources"]["requests"].keys() == {"cpu", "memory"}
            judged += 1
    assert judged >= 7
