"""All of it on a real cluster: events in, exact answers out, while the job's pods are deleted, upgraded and rolled back."""

from __future__ import annotations

import base64
import json
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kubernetes.cluster import NAME, Cluster, CommandError, wait

VALUES = "values-demo.yaml"
SERVERS = f"{NAME}-kafka:9092"
JOB = f"{NAME}-job"
WORKS = {"tracker": ("pipeline_tracker_active", 16125), "audit": ("audit_active", 18100)}
GOING_ON = re.compile(r"going on from file:/+state/checkpoints/")


@pytest.fixture(scope="module", name="storage")
def _storage(cluster: Cluster) -> Iterator[None]:
    """A volume for the job's state, where the cluster makes none: a folder of this machine, which is its one node."""
    classes = cluster.get("storageclasses")["items"]
    if any("is-default-class" in json.dumps(each["metadata"]) for each in classes):
        yield
        return
    with tempfile.TemporaryDirectory(prefix="chart-tests-") as folder:
        Path(folder).chmod(0o777)
        name = f"{cluster.name}-state"
        cluster.apply(
            {
                "apiVersion": "v1",
                "kind": "PersistentVolume",
                "metadata": {"name": name},
                "spec": {
                    "capacity": {"storage": "2Gi"},
                    "accessModes": ["ReadWriteOnce", "ReadWriteMany"],
                    "hostPath": {"path": folder},
                    "claimRef": {"namespace": cluster.name, "name": f"{JOB}-state"},
                },
            }
        )
        yield
        # Nothing may write into the folder while it is removed.
        writers = ("deployments,statefulsets", "--all", "--cascade=foreground", "--timeout=300s")
        cluster.do("delete", *writers)
        cluster.do("delete", "persistentvolumeclaim", f"{JOB}-state", "--wait=false")
        cluster.do("delete", "persistentvolume", name, "--wait=false")


@pytest.fixture(scope="module", name="installed")
def _installed(cluster: Cluster, storage: None) -> Cluster:
    took_s = cluster.install(VALUES)
    print(f"installed and ready after {took_s:.1f} s")
    return cluster


def job_log(cluster: Cluster) -> str:
    return cluster.log(f"{JOB}-0", "-c", "jobmanager")


def job_runs(cluster: Cluster) -> bool:
    pods = cluster.get("pods", "-l", "app.kubernetes.io/component=jobmanager")["items"]
    conditions = [each for pod in pods for each in pod["status"].get("conditions", ())]
    return [each["status"] for each in conditions if each["type"] == "Ready"] == ["True"]


def verified(cluster: Cluster, name: str) -> None:
    """An independent recount of the raw topic agrees with what GraphQL answers."""
    key = cluster.get("secret", f"{NAME}-demo")["data"]["demo-key"]
    cluster.apply(
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "verify"},
            "stringData": {
                "headers.json": json.dumps(
                    {"Authorization": f"Bearer {base64.b64decode(key).decode()}"}
                )
            },
        }
    )
    tracker = cluster.get("deployment", f"{NAME}-tracker")
    image = tracker["spec"]["template"]["spec"]["containers"][0]["image"]
    cluster.run_python(
        name,
        image.rsplit("/", 1)[-1],
        [
            "stream_jobs.tools.verify",
            f"--kafka={SERVERS}",
            f"--graphql=http://{NAME}-gateway/graphql",
            "--headers=/etc/verify/headers.json",
            "--seed=1",
        ],
        volumes=[{"name": "headers", "secret": {"secretName": "verify"}}],
        volumeMounts=[{"name": "headers", "mountPath": "/etc/verify"}],
    )
    phase, log = cluster.ended(name, limit_s=400)
    print(log)
    assert phase == "Succeeded", log


def test_one_install_answers_the_first_question(installed: Cluster) -> None:
    def answered() -> bool:
        return '"rank": 3' in installed.ask_first_question()

    wait("the first top 3", answered)


def test_answers_are_exact(installed: Cluster) -> None:
    verified(installed, "verify-first")


def test_nothing_is_lost_or_doubled_when_the_jobs_pods_are_deleted(installed: Cluster) -> None:
    task = "app.kubernetes.io/component=taskmanager"
    installed.do("delete", "pod", "-l", task, "--grace-period=0", "--force")
    wait("the job", lambda: job_runs(installed))
    installed.do("delete", "pod", f"{JOB}-0", "--grace-period=0", "--force")
    wait("the job after its manager's end", lambda: "going on from" in job_log(installed))
    wait("the job after its manager's end", lambda: job_runs(installed))
    verified(installed, "verify-killed")


def test_an_upgrade_and_a_rollback_of_the_job_go_on_with_its_state(installed: Cluster) -> None:
    installed.install(VALUES, "--set", "job.flinkConfiguration.heartbeat\\.timeout=20000")
    assert GOING_ON.search(job_log(installed))
    installed.rollback()
    wait("the job as it was", lambda: job_runs(installed))
    assert GOING_ON.search(job_log(installed))
    verified(installed, "verify-upgraded")


def told(cluster: Cluster, pod: str, port: int) -> str:
    """What a pod tells Prometheus; nothing while it does not answer."""
    path = f"/api/v1/namespaces/{cluster.name}/pods/{pod}:{port}/proxy/metrics"
    try:
        return cluster.do("get", "--raw", path)
    except CommandError:
        return ""


def active(cluster: Cluster, part: str) -> list[tuple[str, str]]:
    """Name and uid of each of the part's pods that says that it is the one that works."""
    metric, port = WORKS[part]
    pods = cluster.get("pods", "-l", f"app.kubernetes.io/component={part}")["items"]
    found = [(pod["metadata"]["name"], pod["metadata"]["uid"]) for pod in pods]
    return [each for each in found if f"\n{metric} 1.0\n" in told(cluster, each[0], port)]


@pytest.mark.parametrize("part", WORKS)
def test_of_two_one_works_and_the_other_takes_over(installed: Cluster, part: str) -> None:
    installed.install(VALUES, "--set", ",".join(f"{each}.replicas=2" for each in WORKS))
    wait(f"one {part} that works", lambda: len(active(installed, part)) == 1)
    ((name, uid),) = active(installed, part)
    installed.do("delete", "pod", name, "--grace-period=0", "--force")
    wait(
        f"another {part} that works",
        lambda: [other != uid for _, other in active(installed, part)] == [True],
    )
    verified(installed, f"verify-{part}")


def test_the_archive_has_what_kafka_has(installed: Cluster) -> None:
    """Beside the job's state, on the one volume that there is."""
    claim = f"{JOB}-state"
    given = f"archive.enabled=true,archive.ageSeconds=5,archive.volume.existingClaim={claim}"
    installed.install(VALUES, "--set", given)
    files = re.compile(r'archive_files_total\{topic="account-entries"\} [1-9]')
    wait("its files", lambda: bool(files.search(told(installed, f"{NAME}-archive-0", 18101))))
    archive = installed.get("pod", f"{NAME}-archive-0")["spec"]["containers"][0]
    installed.run_python(
        "check-archive",
        archive["image"].rsplit("/", 1)[-1],
        ["--archive=/archive", f"--kafka={SERVERS}", "check"],
        command=archive["command"],
        user=9999,
        volumes=[{"name": "archive", "persistentVolumeClaim": {"claimName": claim}}],
        volumeMounts=[{"name": "archive", "mountPath": "/archive"}],
    )
    phase, log = installed.ended("check-archive")
    print(log)
    assert phase == "Succeeded", log


def test_a_configuration_that_could_lose_money_stops_the_upgrade_before_the_job_is_touched(
    installed: Cluster,
) -> None:
    before = installed.get("pod", f"{JOB}-0")["metadata"]["uid"]
    with pytest.raises(Exception, match="pre-upgrade hooks failed"):
        installed.install(
            VALUES,
            *("--set", "pipeline.dedupWindowSeconds=3600,bootstrap.backoffLimit=0"),
            wait_s=120,
        )
    said = installed.log(f"job/{NAME}-bootstrap", "-c", "check")
    assert "window-below-outage" in said
    assert installed.get("pod", f"{JOB}-0")["metadata"]["uid"] == before


def test_without_its_state_the_job_refuses_to_count_again(installed: Cluster) -> None:
    installed.do("delete", "deployment", f"{NAME}-traffic")
    image = installed.get("pod", f"{JOB}-0")["spec"]["containers"][0]["image"]
    remove = "import shutil; shutil.rmtree('/state/checkpoints')"
    installed.do("scale", f"statefulset/{JOB}", "--replicas=0")
    wait("the end of the job", lambda: f"{JOB}-0 " not in installed.do("get", "pods"))
    installed.run_python(
        "forget",
        image.rsplit("/", 1)[-1],
        ["-c", remove],
        command=["/opt/venv/bin/python"],
        user=9999,
        volumes=[{"name": "state", "persistentVolumeClaim": {"claimName": f"{JOB}-state"}}],
        volumeMounts=[{"name": "state", "mountPath": "/state"}],
    )
    assert installed.ended("forget")[0] == "Succeeded"
    installed.do("scale", f"statefulset/{JOB}", "--replicas=1")

    def refusal() -> str:
        return installed.log(f"{JOB}-0", "-c", "jobmanager", "--previous")

    wait(
        "the refusal",
        lambda: "raw event that Kafka still has a second time" in refusal(),
        limit_s=400,
    )
