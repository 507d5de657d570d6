"""The chart as helm renders it: values files and what they lead to, and what is refused with a message that helps."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from tests.kubernetes.cluster import CommandError, Helm
from tests.kubernetes.rendered import (
    DEMO,
    EVERYTHING,
    EXTERNAL,
    KEDA,
    MATRIX,
    STRIMZI,
    arguments,
    by_name,
    is_custom,
    pods,
)

OBSERVED = ("--set", "prometheusRule.enabled=true,dashboards.enabled=true")


@pytest.fixture(params=MATRIX, name="chosen")
def _chosen(request: pytest.FixtureRequest) -> tuple[str, ...]:
    return MATRIX[request.param]


def variables(resources: list[dict[str, Any]]) -> dict[str, str]:
    pod = by_name(resources, "Deployment", "-gateway")["spec"]["template"]["spec"]
    return {each["name"]: each.get("value", "") for each in pod["containers"][0]["env"]}


def test_helm_finds_nothing_wrong(helm: Helm, chosen: tuple[str, ...]) -> None:
    assert "0 chart(s) failed" in helm.lint(*chosen)


@pytest.mark.parametrize("version", ["1.25", "1.34"])
def test_kubernetes_own_schemas_allow_all_of_it(
    helm: Helm, chosen: tuple[str, ...], version: str, kubernetes: ModuleType
) -> None:
    judged = [each for each in helm.template(*chosen) if not is_custom(each)]
    assert judged
    for each in judged:
        kubernetes.validate(each, version, strict=True)


def test_every_pod_fits_the_restricted_standard(helm: Helm, chosen: tuple[str, ...]) -> None:
    for pod in pods(helm.template(*chosen)):
        assert pod["enableServiceLinks"] is False
        assert pod["automountServiceAccountToken"] is False
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        for container in (*pod.get("initContainers", ()), *pod["containers"]):
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            assert "memory" in container["resources"]["limits"], container["name"]


def test_names_are_short_enough_and_no_two_things_have_one(
    helm: Helm, chosen: tuple[str, ...]
) -> None:
    resources = helm.template(*chosen, "--set", f"fullnameOverride={'n' * 60}")
    names = [(each["kind"], each["metadata"]["name"]) for each in resources]
    assert len(names) == len(set(names))
    assert [name for _, name in names if len(name) > 63] == []


@pytest.mark.parametrize("release", ["2024", "true", "null", "1e5", "0x1f", "on"])
def test_a_release_may_be_called_what_yaml_takes_for_something_else(
    helm: Helm, release: str, kubernetes: ModuleType
) -> None:
    named = (*DEMO, "--set", "fullnameOverride=pay", "--namespace", release)
    for each in helm.template(*named, release=release):
        kubernetes.validate(each, "1.34", strict=True)


def test_long_names_that_begin_alike_are_two(helm: Helm) -> None:
    def names(release: str) -> set[tuple[str, str]]:
        rendered = helm.template(*EXTERNAL, *OBSERVED, release=release)
        return {(each["kind"], each["metadata"]["name"]) for each in rendered}

    one, other = (f"payments-in-production-of-eu-central-1-analytics-{n:04}" for n in (1, 2))
    assert len(one) == 53, "the longest that helm takes"
    assert names(one) & names(other) == set()


def test_all_names_begin_with_the_one_that_is_given(helm: Helm) -> None:
    rendered = helm.template(*EVERYTHING, *OBSERVED, "--set", "fullnameOverride=pay")
    rendered += helm.template(*DEMO, "--set", "fullnameOverride=pay")
    names = {each["metadata"]["name"] for each in rendered}
    assert {name for name in names if name != "pay" and not name.startswith("pay-")} == set()


def test_a_common_label_is_on_everything_and_on_every_pod(helm: Helm) -> None:
    for values in (EVERYTHING, DEMO):
        given = ("--set", "commonLabels.team=payments,archive.enabled=true")
        for each in helm.template(*values, *OBSERVED, *given):
            name = f"{each['kind']} {each['metadata']['name']}"
            assert each["metadata"]["labels"]["team"] == "payments", name
            pod = each.get("spec", {}).get("template", each)
            assert pod["metadata"]["labels"]["team"] == "payments", name


def test_every_pod_can_be_placed_and_every_container_limited(helm: Helm, tmp_path: Path) -> None:
    """Those of hooks and of the demo too: one that has no place, or that a quota refuses, stops an install."""
    parts = ("gateway", "bootstrap", "job", "tracker", "audit", "archive", "demo", "test")
    placed: dict[str, Any] = {
        "nodeSelector": {"pool": "payments"},
        "tolerations": [{"key": "payments", "operator": "Exists"}],
        "affinity": {"nodeAffinity": {}},
        "priorityClassName": "payments",
    }
    values = tmp_path / "values.yaml"
    values.write_text(yaml.safe_dump(dict.fromkeys(parts, placed)))
    limits = ("-f", str(values), "-f", "charts/payment-analytics/values-cpu-limits.yaml")
    for base in (EXTERNAL, DEMO):
        found = pods(helm.template(*base, *limits, "--set", "archive.enabled=true"))
        assert len(found) >= 8
        for pod in found:
            assert {name: pod[name] for name in placed} == placed
            for container in (*pod.get("initContainers", ()), *pod["containers"]):
                assert container["resources"]["limits"].keys() >= {"cpu", "memory"}
                assert container["resources"]["requests"].keys() >= {"cpu", "memory"}


def test_whatever_listens_is_reached_at_its_port_only_or_by_its_own_release(helm: Helm) -> None:
    rendered = helm.template(*DEMO, "--set", "archive.enabled=true")
    labels = [
        each["spec"]["template"]["metadata"]["labels"]
        for each in rendered
        if each["kind"] in ("Deployment", "StatefulSet")
    ]
    policies = [each["spec"] for each in rendered if each["kind"] == "NetworkPolicy"]

    def chosen(policy: dict[str, Any], pod: dict[str, str]) -> bool:
        selector = policy["podSelector"]
        return all(
            pod[name] == value for name, value in selector.get("matchLabels", {}).items()
        ) and all(
            pod[each["key"]] in each["values"] for each in selector.get("matchExpressions", ())
        )

    without = [
        pod["app.kubernetes.io/component"]
        for pod in labels
        if not any(chosen(policy, pod) for policy in policies)
    ]
    assert without == ["traffic"]
    for policy in policies:
        assert all({"ports", "from"} & rule.keys() for rule in policy["ingress"])


def test_a_service_account_of_ones_own_is_everybodys(helm: Helm) -> None:
    def accounts(*options: str) -> tuple[set[str], list[dict[str, Any]]]:
        rendered = helm.template(*EXTERNAL, *options)
        made = [each for each in rendered if each["kind"] == "ServiceAccount"]
        return {pod["serviceAccountName"] for pod in pods(rendered)}, made

    used, made = accounts("--set", "serviceAccount.create=false,serviceAccount.name=theirs")
    assert (used, made) == ({"theirs"}, [])
    used, made = accounts("--set", "serviceAccount.annotations.role=writer")
    assert used == {"default", "pa-payment-analytics"}, "a hook comes before the release's own"
    assert made[0]["metadata"]["annotations"] == {"role": "writer"}


def test_a_variable_of_ones_own_stands_in_place_of_the_charts(helm: Helm, tmp_path: Path) -> None:
    """Twice the same name is a conflict for a server that merges by names."""
    values = tmp_path / "values.yaml"
    own = {"name": "GATEWAY_AUTH_KEYS", "value": "/etc/own/keys.json"}
    values.write_text(yaml.safe_dump({"gateway": {"extraEnv": [own]}}))
    rendered = by_name(helm.template(*EXTERNAL, "-f", str(values)), "Deployment", "-gateway")
    told = rendered["spec"]["template"]["spec"]["containers"][0]["env"]
    assert [each for each in told if each["name"] == "GATEWAY_AUTH_KEYS"] == [own]


def test_the_demos_data_outlive_their_pods_where_that_is_wanted(helm: Helm) -> None:
    for wanted in (False, True):
        given = f"demo.persistent={str(wanted).lower()},demo.storageClass=slow,demo.kafka.size=7Gi"
        rendered = helm.template(*DEMO, "--set", given)
        for part, size in (("-kafka", "7Gi"), ("-pinot", "5Gi")):
            spec = by_name(rendered, "StatefulSet", part)["spec"]
            in_pod = [each["name"] for each in spec["template"]["spec"]["volumes"]]
            assert ("data" in in_pod) is not wanted
            claims = spec.get("volumeClaimTemplates", [])
            assert [each["metadata"]["name"] for each in claims] == ["data"] * wanted
            assert all(each["spec"]["storageClassName"] == "slow" for each in claims)
            sizes = [each["spec"]["resources"]["requests"]["storage"] for each in claims]
            assert sizes == [size] * wanted


def test_where_pods_have_ipv6_addresses_all_listen_there(helm: Helm) -> None:
    rendered = yaml.safe_dump_all(
        helm.template(*EXTERNAL, "--set", "listen=::,archive.enabled=true")
    )
    assert "0.0.0.0" not in rendered
    assert rendered.count("host=::") == 5
    assert "GATEWAY_HOST" in rendered


def test_a_claim_of_volume_is_used_where_the_state_is_on_one_and_nowhere_else(helm: Helm) -> None:
    kinds = [each["kind"] for each in helm.template(*MATRIX["object store"])]
    assert kinds.count("PersistentVolumeClaim") == 0
    claim = by_name(helm.template(*EXTERNAL), "PersistentVolumeClaim", "-job-state")
    assert claim["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}


def test_of_several_trackers_and_audits_each_is_told_so_and_has_what_it_needs(helm: Helm) -> None:
    two = helm.template(*EXTERNAL)
    one = helm.template(*EXTERNAL, "--set", "tracker.replicas=1,audit.replicas=1")
    for kind, part in (("Deployment", "-tracker"), ("StatefulSet", "-audit")):
        assert by_name(two, kind, part)["spec"]["replicas"] == 2
        assert "--lease=10" in arguments(two, kind, part)
        assert not [each for each in arguments(one, kind, part) if each.startswith("--lease")]
        by_name(two, "PodDisruptionBudget", part)
    assert by_name(two, "Deployment", "-tracker")["spec"]["strategy"]["type"] == "RollingUpdate"
    assert by_name(one, "Deployment", "-tracker")["spec"]["strategy"] == {"type": "Recreate"}
    claims = by_name(two, "StatefulSet", "-audit")["spec"]["volumeClaimTemplates"]
    assert [each["metadata"]["name"] for each in claims] == ["state"]


def test_a_claim_for_one_audit_is_not_given_to_two(helm: Helm) -> None:
    given = ("--set", "audit.state.existingClaim=mine")
    with pytest.raises(CommandError, match="each has a state of its own"):
        helm.template(*EXTERNAL, *given)
    rendered = helm.template(*EXTERNAL, *given, "--set", "audit.replicas=1")
    audit = by_name(rendered, "StatefulSet", "-audit")["spec"]
    volumes = {each["name"]: each for each in audit["template"]["spec"]["volumes"]}
    assert volumes["state"]["persistentVolumeClaim"] == {"claimName": "mine"}
    assert "volumeClaimTemplates" not in audit


def test_settings_reach_the_gateway_as_they_are_written(helm: Helm) -> None:
    given = variables(helm.template(*EVERYTHING))
    assert given["GATEWAY_MAX_FIRST"] == "50"
    assert given["GATEWAY_CACHE"] == "false"
    assert given["GATEWAY_PIPELINE"] == "two"
    assert given["GATEWAY_AUTH_KEYS"] == "/etc/gateway/keys.json"
    large = helm.template(*EXTERNAL, "--set", "gateway.settings.GATEWAY_CACHE_MAX_BYTES=67108864")
    assert variables(large)["GATEWAY_CACHE_MAX_BYTES"] == "67108864"


def test_a_number_is_told_as_it_is_written(helm: Helm, tmp_path: Path) -> None:
    values = tmp_path / "values.yaml"
    numbers = {"whole": 67108864, "part": 0.4}
    settings = {"GATEWAY_CACHE_MAX_BYTES": 67108864}
    given = {"job": {"flinkConfiguration": numbers}, "gateway": {"settings": settings}}
    values.write_text(yaml.safe_dump(given))
    resources = helm.template(*EXTERNAL, "-f", str(values))
    flink = yaml.safe_load(by_name(resources, "ConfigMap", "-job")["data"]["config.yaml"])
    assert (flink["whole"], flink["part"]) == ("67108864", "0.4")
    assert variables(resources)["GATEWAY_CACHE_MAX_BYTES"] == "67108864"


def test_names_that_are_allowed_have_the_services_beside_them(helm: Helm) -> None:
    hosts = "gateway.settings.GATEWAY_ALLOWED_HOSTS=api.example.org"
    given = variables(helm.template(*EXTERNAL, "--set", hosts, "--namespace", "money"))
    service = "pa-payment-analytics-gateway"
    wanted = ("api.example.org", service, f"{service}.money", f"{service}.money.svc")
    assert given["GATEWAY_ALLOWED_HOSTS"] == ",".join(wanted)
    assert "GATEWAY_ALLOWED_HOSTS" not in variables(helm.template(*EXTERNAL))


def test_a_pod_is_given_longer_than_its_gateway_drains(helm: Helm) -> None:
    def grace_s(setting: str) -> int:
        rendered = helm.template(*EXTERNAL, "--set", setting)
        pod = by_name(rendered, "Deployment", "-gateway")["spec"]["template"]["spec"]
        seconds: int = pod["terminationGracePeriodSeconds"]
        return seconds

    assert grace_s("gateway.drain.acceptMilliseconds=30000") >= 30 + 3 + 5 + 10 + 5
    assert grace_s("gateway.settings.GATEWAY_LIVE_RECONNECT_MS=60000") >= 5 + 3 + 60 + 10 + 5


def test_every_process_can_be_given_variables_secrets_and_files(helm: Helm, tmp_path: Path) -> None:
    given: dict[str, Any] = {
        "extraEnv": [{"name": "KAFKA_PASSWORD_FILE", "value": "/etc/more/password"}],
        "extraEnvFrom": [{"secretRef": {"name": "more"}}],
        "extraVolumes": [{"name": "more", "secret": {"secretName": "more"}}],
        "extraVolumeMounts": [{"name": "more", "mountPath": "/etc/more"}],
    }
    placed = {
        "nodeSelector": {"pool": "payments"},
        "tolerations": [{"key": "payments", "operator": "Exists"}],
        "priorityClassName": "payments",
    }
    parts = ("gateway", "bootstrap", "job", "tracker", "audit", "archive")
    values = tmp_path / "values.yaml"
    of_each = {part: {**given, **placed} for part in parts}
    of_each["archive"] |= {"enabled": True}
    values.write_text(yaml.safe_dump(of_each))
    resources = helm.template(*EXTERNAL, "-f", str(values))
    judged = 0
    for pod in pods([each for each in resources if each["kind"] != "Pod"]):
        assert given["extraVolumes"][0] in pod["volumes"]
        assert {name: pod[name] for name in placed} == placed
        for container in (*pod.get("initContainers", ()), *pod["containers"]):
            assert given["extraEnv"][0] in container["env"], container["name"]
            assert container["envFrom"] == given["extraEnvFrom"]
            assert given["extraVolumeMounts"][0] in container["volumeMounts"]
            judged += 1
    assert judged == 10


def test_topics_and_tables_come_before_all_else_where_kafka_and_pinot_are_there(helm: Helm) -> None:
    job = by_name(helm.template(*EXTERNAL), "Job", "-bootstrap")
    assert job["metadata"]["annotations"]["helm.sh/hook"] == "pre-install,pre-upgrade"
    steps = job["spec"]["template"]["spec"]
    assert [each["name"] for each in steps["initContainers"]] == ["topics", "tables"]
    assert "--overlay=production" in steps["initContainers"][1]["args"]
    demo = bootstrap(helm)
    assert "annotations" not in demo["metadata"]
    upgraded = by_name(helm.template(*DEMO, "--is-upgrade"), "Job", "-bootstrap")
    assert upgraded["metadata"]["annotations"]["helm.sh/hook"] == "pre-install,pre-upgrade"


def bootstrap(helm: Helm, *options: str) -> dict[str, Any]:
    """The Job of the demo's first install, beside all else."""
    (job,) = (each for each in helm.template(*DEMO, *options) if each["kind"] == "Job")
    return job


def test_a_job_beside_the_rest_is_another_where_it_has_another_pod_and_never_the_hooks(
    helm: Helm,
) -> None:
    """A Job cannot be changed, and helm rolls back to none whose name a hook's Job has."""

    def name(*options: str) -> str:
        return str(bootstrap(helm, *options)["metadata"]["name"])

    assert name() == name("--set", "gateway.replicas=2")
    hook = by_name(helm.template(*DEMO, "--is-upgrade"), "Job", "-bootstrap")["metadata"]["name"]
    others = ("commonLabels.team=pay", "bootstrap.podAnnotations.mesh=no", "images.tag=other")
    assert len({hook, name(), *(name("--set", each) for each in others)}) == 5


def test_names_of_ones_own_are_told_to_all_that_use_them(helm: Helm) -> None:
    names = "pipeline.names.transactionsTopic=payments.v1,pipeline.names.erasedRowsTopic=gone"
    told = [
        container["args"]
        for pod in pods(helm.template(*EXTERNAL, "--set", names))
        for container in (*pod.get("initContainers", ()), *pod["containers"])
        if "--kafka=kafka:9092" in container.get("args", ())
    ]
    assert len(told) == 7
    for arguments_ in told:
        assert {"--transactions-topic=payments.v1", "--erased-rows-topic=gone"} <= set(arguments_)


def test_what_the_check_is_told_the_job_is_told(helm: Helm) -> None:
    resources = helm.template(*EVERYTHING)
    job = by_name(resources, "Job", "-bootstrap")["spec"]["template"]["spec"]["containers"][0]
    manager = by_name(resources, "StatefulSet", "-job")["spec"]["template"]["spec"]
    told = job["args"][1:]
    assert manager["containers"][0]["args"][-len(told) :] == told


def test_an_upgrade_of_the_chart_alone_leaves_the_jobs_pods_alone(helm: Helm) -> None:
    for pod in (
        by_name(helm.template(*EXTERNAL), kind, end)
        for kind, end in (("StatefulSet", "-job"), ("Deployment", "-taskmanager"))
    ):
        labels = pod["spec"]["template"]["metadata"]["labels"]
        assert "helm.sh/chart" not in labels
        assert "app.kubernetes.io/version" not in labels


def test_a_changed_configuration_of_flink_makes_new_pods(helm: Helm) -> None:
    def mark(*options: str) -> str:
        pod = by_name(helm.template(*EXTERNAL, *options), "StatefulSet", "-job")
        return str(pod["spec"]["template"]["metadata"]["annotations"])

    assert mark() == mark("--set", "gateway.replicas=5")
    assert mark() != mark("--set", "job.taskManager.slots=4")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ((), "kafka.servers must be set"),
        (EXTERNAL[:2], "pinot.controllerUrl must be set"),
        (
            (*EXTERNAL, "--set", r"pinot.brokerUrl=http://pinot-0:8099\,pinot-1:8099"),
            "'http://pinot-0:8099,pinot-1:8099' does not match pattern",
        ),
        (
            (*EXTERNAL, "--set", "pipeline.names.transactionTopic=payments.v1"),
            "invalid propertyName 'transactionTopic'",
        ),
        (EXTERNAL[:6], "gateway.auth.existingSecret must be set: a Secret with keys.json"),
        ((*EXTERNAL, "--set", "gateway.replica=3"), "additional properties 'replica' not allowed"),
        ((*EXTERNAL, "--set", "gateway.settings.GATEWAY_MAX_FRIST=3"), "GATEWAY_MAX_FRIST"),
        ((*EXTERNAL, "--set", "gateway.auth.methods=off"), "does not match pattern"),
        (
            (*EXTERNAL, "--set", "job.flinkDeployment.upgradeMode=stateless"),
            "value must be one of 'savepoint', 'last-state'",
        ),
        (
            (*EXTERNAL, "--set", "job.parallelism=8"),
            "job.parallelism is 8, and there are only 2 slots",
        ),
        (
            (*EXTERNAL, "--set", "gateway.ingress.enabled=true"),
            "gateway.ingress.host must be set",
        ),
        (
            (*EXTERNAL, "--set", "gateway.serviceMonitor.enabled=true"),
            "gateway.serviceMonitor.tokenSecret must be set",
        ),
        ((*EXTERNAL, "--set", "strimzi.enabled=true"), "strimzi.cluster must be set"),
        ((*DEMO, "--set", "fullnameOverride=Pay_1"), "'Pay_1' does not match pattern"),
        ((*DEMO, "--set", "nameOverride=pay.one"), "'pay.one' does not match pattern"),
        (
            (*DEMO, "--set", "commonLabels.app\\.kubernetes\\.io/name=pay"),
            "invalid propertyName 'app.kubernetes.io/name'",
        ),
        ((*STRIMZI, *DEMO), "strimzi.enabled is for a Kafka of Strimzi's"),
        (
            (*KEDA, "--set", "gateway.autoscaling.keda.cpu=false"),
            "gateway.autoscaling.keda has no trigger",
        ),
    ],
)
def test_what_cannot_work_is_refused_with_what_to_do(
    helm: Helm, options: tuple[str, ...], message: str
) -> None:
    with pytest.raises(CommandError) as refused:
        helm.template(*options)
    assert message in str(refused.value)


@pytest.mark.parametrize("release", ["9pay", "pay.one", "2024"])
def test_a_name_that_no_service_can_have_is_refused_with_what_to_do(
    helm: Helm, release: str
) -> None:
    with pytest.raises(CommandError, match="set fullnameOverride to one that does"):
        helm.template(*EXTERNAL, release=release)
    assert helm.template(*EXTERNAL, "--set", "fullnameOverride=pay", release=release)


def test_the_key_of_erasures_is_where_it_is_needed_and_nowhere_else(helm: Helm) -> None:
    key, refused = "pipeline.erasureKey.existingSecret=erasures", "pipeline.erasedAccounts=refused"
    told = "--erasure-key=/etc/erasure/erasure.key"

    def having(*options: str) -> tuple[set[str], set[str]]:
        """Whose pods have the key, and who is told of it."""
        mounted, knowing = set[str](), set[str]()
        for each in helm.template(*EVERYTHING, *options):
            for pod in pods([each]):
                containers = (*pod.get("initContainers", ()), *pod["containers"])
                name = each["metadata"]["name"].rpartition("-")[2]
                volumes = {one["name"]: one for one in pod.get("volumes", ())}
                if "erasure-key" in volumes:
                    mounted.add(name)
                    secret = volumes["erasure-key"]["secret"]
                    assert (secret["secretName"], secret["defaultMode"]) == ("erasures", 0o440)
                    assert secret["items"] == [{"key": "erasure.key", "path": "erasure.key"}]
                    for container in containers:
                        assert "/etc/erasure" in str(container["volumeMounts"])
                if any(told in container.get("args", ()) for container in containers):
                    knowing.add(name)
        return mounted, knowing

    assert having() == (set(), set())
    assert having("--set", key) == ({"audit"}, {"audit"})
    both = {"audit", "job"}
    assert having("--set", f"{key},{refused}") == ({*both, "taskmanager"}, {*both, "bootstrap"})
    with pytest.raises(CommandError, match="which needs the key"):
        helm.template(*EVERYTHING, "--set", refused)
