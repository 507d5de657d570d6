"""The job on the local Flink: submitted once, resumed from where it stood, stopped with a savepoint."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import httpx
from kazoo.exceptions import KazooException
from kazoo.handlers.threading import KazooTimeoutError

from local_stack import snapshots
from local_stack.flink_parts import flink_environment
from local_stack.settings import CHECKOUT, StackSettings
from local_stack.zookeeper import remembered_jobs
from stream_jobs.job_settings import CONSUMER_GROUP, JOB_NAME
from stream_jobs.kafka_offsets import KafkaOffsets

ENDED = {"FINISHED", "CANCELED", "FAILED"}
POLL_S = 0.5
SUBMIT_LIMIT_S = 300
RUNNING_LIMIT_S = 240
# Longer than a checkpoint may take: a savepoint that completes unseen would still be the one to go on from.
STOP_LIMIT_S = 150


class JobError(Exception):
    """The job could not be submitted or does not run; the message ends with what Flink said."""


@dataclass(frozen=True, slots=True)
class FlinkJob:
    """Our one job on one Flink cluster, whose snapshots lie in `folder`.

    `submit(snapshot)` starts the job and returns its id; `digest` stands for its code and settings;
    `remembered()` names the jobs that Flink would recover; `entries_exist()` tells whether the job ever
    wrote anything; `stopping()` ends every wait.
    """

    rest: httpx.Client
    folder: Path
    digest: str
    submit: Callable[[Path | None], str]
    remembered: Callable[[], list[str]]
    entries_exist: Callable[[], bool]
    stopping: Callable[[], bool]

    def ensure(self) -> str:
        """Make sure that the job runs, with today's code; say in a few words how it came to.

        Raises:
            JobError: it cannot be submitted, does not reach RUNNING, or would count twice.

        """
        last = snapshots.submitted(self.folder)
        active = self._active_or_recovered()
        if active is not None and last is not None and last.digest == self.digest:
            self.wait_running(active)
            return "recovered by Flink"
        if active is not None:
            self._retire(active)
        restore = snapshots.newest(self.folder)
        if restore is None and self.entries_exist():
            raise JobError(
                "account-entries holds entries, but the job's snapshots are gone: started without its "
                "memory of transaction ids, it would count all events a second time. "
                "./dev up --fresh starts over without the data."
            )
        began = snapshots.Submitted("", self.digest, str(restore) if restore else None)
        # Before and after: killed in between, the next start must know from what the job began.
        snapshots.write_submitted(self.folder, began)
        job = self.submit(restore)
        snapshots.write_submitted(self.folder, replace(began, job=job))
        self.wait_running(job)
        snapshots.sweep(self.folder)
        return f"resumed from {restore.name}" if restore else "submitted"

    def active(self) -> str | None:
        """The id of our job if the cluster has it in any state but an ended one."""
        for job in self._get("/jobs/overview")["jobs"]:
            if job["name"] == JOB_NAME and job["state"] not in ENDED:
                return str(job["jid"])
        return None

    def wait_running(self, job: str) -> None:
        """Wait until every task of the job runs.

        Raises:
            JobError: not within `RUNNING_LIMIT_S`, with the job's newest exception.

        """
        deadline = time.monotonic() + RUNNING_LIMIT_S
        while time.monotonic() < deadline:
            said = self._get(f"/jobs/{job}")
            if said["state"] == "RUNNING" and all(
                vertex["status"] == "RUNNING" for vertex in said["vertices"]
            ):
                return
            if said["state"] in ENDED:
                break
            if self.stopping():
                raise JobError("The wait for the job was ended.")
            time.sleep(POLL_S)
        raise JobError(f"The job is {said['state']}, not running. {self._newest_exception(job)}")

    def stop_with_savepoint(self, limit_s: float = STOP_LIMIT_S) -> Path | None:
        """Stop the job after a last savepoint, everything committed; None if there is none to stop."""
        try:
            job = self.active()
            if job is None:
                return None
            target = {"drain": False, "targetDirectory": f"file://{self.folder}/stops"}
            trigger = self.rest.post(f"/jobs/{job}/stop", json=target).json()["request-id"]
            deadline = time.monotonic() + limit_s
            while time.monotonic() < deadline:
                said = self._get(f"/jobs/{job}/savepoints/{trigger}")
                if said["status"]["id"] == "COMPLETED":
                    if "failure-cause" not in said["operation"]:
                        self._wait_ended()
                    return snapshots.stop_savepoint(self.folder)
                time.sleep(0.1)
        except (httpx.HTTPError, KeyError, ValueError, JobError, KazooException, KazooTimeoutError):
            pass  # what Flink keeps in its high-availability store is resumed instead
        return None

    def _active_or_recovered(self) -> str | None:
        """The active job; while Flink remembers one that it does not run yet, wait for it.

        Raises:
            JobError: it does not come: submitting another beside it could count everything twice.

        """
        deadline = time.monotonic() + RUNNING_LIMIT_S
        while (active := self.active()) is None and self.remembered():
            if time.monotonic() > deadline or self.stopping():
                raise JobError("Flink remembers the job, but does not recover it.")
            time.sleep(POLL_S)
        return active

    def _wait_ended(self) -> None:
        """Wait until Flink has dropped the job, so that no later start recovers it by itself."""
        deadline = time.monotonic() + RUNNING_LIMIT_S
        while self.active() is not None or self.remembered():
            if time.monotonic() > deadline:
                raise JobError("The job does not end.")
            time.sleep(0.1)

    def _retire(self, job: str) -> None:
        """End a job of older code: with a savepoint, or, where it cannot take one, at its last checkpoint."""
        if self.stop_with_savepoint() is None:
            self.rest.patch(f"/jobs/{job}")
        self._wait_ended()

    def _newest_exception(self, job: str) -> str:
        history = (
            self._get(f"/jobs/{job}/exceptions").get("exceptionHistory", {}).get("entries", [])
        )
        return str(history[0]["stacktrace"])[:1500] if history else ""

    def _get(self, path: str) -> dict[str, Any]:
        answer = self.rest.get(path)
        answer.raise_for_status()
        body: dict[str, Any] = answer.json()
        return body


def local_job(
    settings: StackSettings,
    python: Path,
    environment: Mapping[str, str],
    stopping: Callable[[], bool],
) -> FlinkJob:
    """The job on the local stack."""
    return FlinkJob(
        rest=httpx.Client(base_url=settings.flink_url, timeout=10, trust_env=False),
        folder=settings.data / "flink",
        digest=_digest(settings, python),
        submit=partial(_submit, settings, python, environment),
        remembered=partial(remembered_jobs, settings.zookeeper),
        entries_exist=partial(_entries_exist, settings.kafka_servers),
        stopping=stopping,
    )


def _submit(
    settings: StackSettings, python: Path, environment: Mapping[str, str], restore: Path | None
) -> str:
    """Submit with PyFlink in a process of its own.

    Raises:
        JobError: with the end of what it said.

    """
    folder = settings.data / "flink"
    command = [str(python), "-P", "-m", "stream_jobs.job", "--kafka", settings.kafka_servers]
    command += ["--flink", f"{settings.host}:{settings.flink_rest_port}"]
    command += ["--checkpoints", f"file://{folder}/checkpoints"]
    command += ["--savepoints", f"file://{folder}/savepoints"]
    if restore is not None:
        command += ["--restore-from", f"file://{restore}"]
    said = subprocess.run(
        command,
        env={**environment, **flink_environment(settings)},
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        timeout=SUBMIT_LIMIT_S,
    )
    if said.returncode != 0:
        raise JobError(f"The job could not be submitted:\n{said.stderr.strip()[-3000:]}")
    return said.stdout.strip().splitlines()[-1]


def _entries_exist(kafka_servers: str) -> bool:
    return any(KafkaOffsets(kafka_servers, CONSUMER_GROUP).ends("account-entries").values())


def _digest(settings: StackSettings, python: Path) -> str:
    """A digest of what the job is made of and told: a change in it means a new submission."""
    told = (settings.kafka_servers, str(settings.data), str(python), sys.version)
    digest = hashlib.sha256(repr(told).encode())
    folder = CHECKOUT / "stream_jobs"
    for name in ("job.py", "job_settings.py", "event_rules.py"):
        digest.update((folder / name).read_bytes())
    for file in sorted((folder / "sql").glob("*.sql")):
        digest.update(file.read_bytes())
    return digest.hexdigest()
