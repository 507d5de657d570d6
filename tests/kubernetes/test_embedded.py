"""The gateway on a real cluster, with the embedded store: installed, rolled, scaled, deleted, misused, rolled back."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from tests.kubernetes.cluster import NAME, READY_S, Cluster, CommandError, load_script, wait

VALUES = "values-embedded.yaml"
UNBOUNDED = ("--set", "gateway.settings.GATEWAY_BUDGET_PER_S=0")
"""The one caller of the load asks for more than one caller's budget."""
DEPLOYMENT = f"deployment/{NAME}-gateway"


@pytest.fixture(scope="module", name="installed")
def _installed(cluster: Cluster) -> Cluster:
    took_s = install(cluster)
    print(f"installed and ready after {took_s:.1f} s")
    return cluster


def install(cluster: Cluster, *options: str, wait_s: int = READY_S) -> float:
    return cluster.install(VALUES, *UNBOUNDED, *options, wait_s=wait_s)


def load(cluster: Cluster, seconds: int) -> None:
    """Begin to ask, for so long."""
    gateway_image = cluster.get("deployment", f"{NAME}-gateway")
    image = gateway_image["spec"]["template"]["spec"]["containers"][0]["image"]
    secret = {"secretKeyRef": {"name": f"{NAME}-demo", "key": "demo-key"}}
    cluster.run_python(
        "load",
        image.rsplit("/", 1)[-1],
        [load_script()],
        command=["/opt/venv/bin/python", "-c"],
        env=[
            {"name": "GATEWAY", "value": f"http://{NAME}-gateway"},
            {"name": "SECONDS", "value": str(seconds)},
            {"name": "CREDENTIAL", "valueFrom": secret},
        ],
    )
    wait("the first question", lambda: cluster.phase("load") != "Pending")
    wait("the first question", lambda: "asking" in cluster.log("load"))


def said_by_load(cluster: Cluster) -> dict[str, Any]:
    phase, log = cluster.ended("load")
    assert phase == "Succeeded", log
    said: dict[str, Any] = json.loads(log.strip().splitlines()[-1])
    print(said)
    return said


def rolled_out(cluster: Cluster) -> None:
    cluster.do("rollout", "status", DEPLOYMENT, "--timeout=300s")


def test_helm_test_asks_the_first_question_and_shows_the_answer(installed: Cluster) -> None:
    said = installed.ask_first_question()
    assert '"exact": true' in said
    assert '"rank": 10' in said


def test_a_rolling_update_fails_no_request(installed: Cluster) -> None:
    load(installed, 60)
    installed.do("rollout", "restart", DEPLOYMENT)
    rolled_out(installed)
    said = said_by_load(installed)
    assert said["failures"] == {}
    assert said["answered"] >= 100


def test_pods_that_are_deleted_and_scaled_fail_no_request(installed: Cluster) -> None:
    load(installed, 75)
    pods = installed.get("pods", "-l", "app.kubernetes.io/component=gateway")["items"]
    installed.do("delete", "pod", pods[0]["metadata"]["name"], "--wait=false")
    rolled_out(installed)
    for replicas in (3, 1):
        install(installed, "--set", f"gateway.replicas={replicas}")
    said = said_by_load(installed)
    assert said["failures"] == {}
    assert said["answered"] >= 100


def test_a_version_that_never_comes_up_takes_nothing_away_and_is_rolled_back(
    installed: Cluster,
) -> None:
    before = installed.get("secret", f"{NAME}-demo")["data"]
    load(installed, 60)
    with pytest.raises(CommandError, match=r"(?i)timed? ?out|deadline|not ready"):
        install(installed, "--set", "images.tag=never-built", wait_s=15)
    installed.rollback()
    said = said_by_load(installed)
    assert said["failures"] == {}
    assert installed.get("secret", f"{NAME}-demo")["data"] == before, "the key is kept"


def test_a_credential_that_is_none_is_told_so(installed: Cluster) -> None:
    wrong = base64.b64encode(b"pak_000000000000_nobodys").decode()
    installed.apply(
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "wrong"},
            "data": {"demo-key": wrong},
        }
    )
    install(installed, "--set", "test.credentialSecret=wrong")
    with pytest.raises(CommandError) as refused:
        installed.ask_first_question()
    assert "/graphql answered 401" in str(refused.value)
    assert "UNAUTHENTICATED" in str(refused.value)
    install(installed)


def test_a_secret_that_is_missing_or_lacks_a_key_stops_the_upgrade_before_anything_changes(
    installed: Cluster,
) -> None:
    before = installed.get("deployment", f"{NAME}-gateway")["metadata"]["generation"]
    for name, message in (
        ("nobodys", f"there is no Secret nobodys in namespace {installed.name}"),
        ("wrong", "Secret wrong has no key keys.json"),
    ):
        with pytest.raises(CommandError) as refused:
            install(installed, "--set", f"gateway.auth.existingSecret={name}")
        assert message in str(refused.value)
    assert installed.get("deployment", f"{NAME}-gateway")["metadata"]["generation"] == before


def test_a_setting_that_cannot_work_is_told_in_the_log_while_the_old_pods_serve(
    installed: Cluster,
) -> None:
    with pytest.raises(CommandError):
        install(
            installed, "--set", "gateway.settings.GATEWAY_ALLOWED_HOSTS=https://wrong", wait_s=20
        )
    pods = installed.get("pods", "-l", "app.kubernetes.io/component=gateway")["items"]
    newest = max(pods, key=lambda pod: str(pod["metadata"]["creationTimestamp"]))
    name = newest["metadata"]["name"]
    wait(
        "the fault in the log",
        lambda: "GATEWAY_ALLOWED_HOSTS has 'https://wrong'" in installed.log(name),
        limit_s=60,
    )
    installed.rollback()
    assert installed.ask_first_question()


def test_what_is_removed_leaves_nothing_behind(installed: Cluster) -> None:
    installed.uninstall()
    kinds = "deployments,services,networkpolicies,poddisruptionbudgets"
    assert installed.get(kinds)["items"] == []
