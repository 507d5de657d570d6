"""What the tests do with helm and kubectl: run them, and wait for what they say."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from local_stack import on_kubernetes
from local_stack.chart import FOLDER

REGISTRY = os.environ.get(on_kubernetes.REGISTRY, "localhost")
RELEASE = "pa"
NAME = "pa-payment-analytics"
READY_S = 600
RESTRICTED = "pod-security.kubernetes.io/enforce=restricted"


class CommandError(Exception):
    """A command failed; the message is all that it said."""


def run(command: Sequence[str], *, given: str | None = None, limit_s: float = READY_S) -> str:
    """What a command says; raises CommandError if it fails."""
    said = subprocess.run(
        command, input=given, capture_output=True, text=True, timeout=limit_s, check=False
    )
    if said.returncode != 0:
        raise CommandError(f"{' '.join(command[:6])} …: {said.stdout}{said.stderr}")
    return said.stdout


def wait(what: str, is_so: Callable[[], bool], limit_s: float = 240) -> None:
    """Until it is so; raises AssertionError after `limit_s`."""
    deadline = time.monotonic() + limit_s
    while not is_so():
        assert time.monotonic() < deadline, f"{what}: not within {limit_s} s"
        time.sleep(1)


@dataclass(frozen=True, slots=True)
class Helm:
    """The chart, through helm."""

    program: str

    def lint(self, *options: str) -> str:
        return run([self.program, "lint", "--strict", str(FOLDER), *options])

    def template(self, *options: str, release: str = RELEASE) -> list[dict[str, Any]]:
        """What is rendered, without what is empty."""
        said = run([self.program, "template", release, str(FOLDER), *options])
        return [each for each in yaml.safe_load_all(said) if each]


@dataclass(frozen=True, slots=True)
class Cluster:
    """One namespace."""

    kubectl: str
    helm: Helm
    name: str

    @contextmanager
    def namespace(self) -> Iterator[Cluster]:
        """Made for as long as it is used, with all that is in it."""
        self.do("create", "namespace", self.name)
        self.do("label", "namespace", self.name, RESTRICTED)
        try:
            wait("the default account", lambda: "default" in self.do("get", "serviceaccounts"))
            yield self
        finally:
            self.do("delete", "namespace", self.name, "--wait=true", "--timeout=180s")

    def do(self, *words: str, given: str | None = None) -> str:
        """One `kubectl` in the namespace."""
        return run([self.kubectl, "-n", self.name, *words], given=given)

    def get(self, *words: str) -> Any:
        return json.loads(self.do("get", *words, "-o", "json"))

    def apply(self, *resources: dict[str, Any]) -> None:
        self.do("apply", "-f", "-", given=yaml.safe_dump_all(resources))

    def install(self, values: str, *options: str, wait_s: int = READY_S) -> float:
        """Install or upgrade, and wait until all is ready; the seconds that it took."""
        began = time.monotonic()
        command = [self.helm.program, "upgrade", "--install", RELEASE, str(FOLDER), "-n", self.name]
        command += ["-f", str(FOLDER / values), "--set", f"images.registry={REGISTRY}"]
        command += ["--wait", "--wait-for-jobs", f"--timeout={wait_s}s", *options]
        run(command, limit_s=wait_s + 60)
        return time.monotonic() - began

    def ask_first_question(self) -> str:
        """`helm test`, with what it was answered."""
        return run([self.helm.program, "test", RELEASE, "-n", self.name, "--logs"])

    def rollback(self) -> None:
        command = [self.helm.program, "rollback", RELEASE, "-n", self.name, "--wait"]
        run([*command, f"--timeout={READY_S}s"])

    def uninstall(self) -> None:
        run([self.helm.program, "uninstall", RELEASE, "-n", self.name, "--wait"])

    def run_python(self, name: str, image: str, args: Sequence[str], **spec: Any) -> None:
        """A pod that runs once; `spec` has environment, volumes and the user."""
        container: dict[str, Any] = {
            "name": name,
            "image": f"{REGISTRY}/payment-analytics/{image}",
            "args": list(args),
            "securityContext": {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            },
            "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}, *spec.get("volumeMounts", ())],
            **{key: spec[key] for key in ("command", "env") if key in spec},
        }
        security = {
            "runAsNonRoot": True,
            "runAsUser": spec.get("user", 10001),
            "seccompProfile": {"type": "RuntimeDefault"},
        }
        self.do("delete", "pod", name, "--ignore-not-found", "--wait=true")
        self.apply(
            {
                "apiVersion": "v1",
                "kind": "Pod",
                # The release's own pods alone may reach Kafka.
                "metadata": {"name": name, "labels": {"app.kubernetes.io/instance": RELEASE}},
                "spec": {
                    "restartPolicy": "Never",
                    "enableServiceLinks": False,
                    "securityContext": security,
                    "containers": [container],
                    "volumes": [{"name": "tmp", "emptyDir": {}}, *spec.get("volumes", ())],
                },
            }
        )

    def log(self, *words: str) -> str:
        """A log; nothing while there is none."""
        try:
            return self.do("logs", *words, "--tail=-1")
        except CommandError:
            return ""

    def phase(self, pod: str) -> str:
        return str(self.get("pod", pod)["status"]["phase"])

    def ended(self, pod: str, limit_s: float = 300) -> tuple[str, str]:
        """A pod's phase and log, once it has ended."""
        wait(
            f"the end of {pod}", lambda: self.phase(pod) in ("Succeeded", "Failed"), limit_s=limit_s
        )
        return self.phase(pod), self.do("logs", pod)


def load_script() -> str:
    """The program of the pod that asks all the time."""
    return (Path(__file__).parent / "load.py").read_text()
