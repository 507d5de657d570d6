"""The job on the local Flink: submitted once, resumed from where it stood, stopped with a savepoint."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
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
    """Talks to one Flink cluster's REST API about our one job; `stopping` ends every wait."""

    settings: StackSettings
    python: Path
    environment: Mapping[str, str]
    stopping: Callable[[], bool] = lambda: False

    @property
    def _folder(self) -> Path:
        return self.settings.data / "flink"

    def ensure(self) -> str:
        """Make sure that the job runs, with today's code; say in a few words how it came to.

        Raises:
            JobError: it cannot be submitted, does not reach RUNNING, or would count twice.

        """
        digest = self._digest()
        last = snapshots.submitted(self._folder)
        active = self._active_or_recovered()
        if active is not None and last is not None and last.digest == digest:
            self.wait_running(active)
            return "recovered by Flink"
        if active is not None:
            self._retire(active)
        restore = snapshots.newest(self._folder)
        if restore is None:
            self._refuse_to_forget()
        job = self._submit(restore)
        restored_from = str(restore) if restore else None
        snapshots.write_submitted(self._folder, snapshots.Submitted(job, digest, restored_from))
        self.wait_running(job)
        snapshots.sweep(self._folder)
        return f"resumed from {restore.name}" if restore else "submitted"

    def _refuse_to_forget(self) -> None:
        """Raise JobError if there are entries although the memory of what they came from is gone."""
        ends = KafkaOffsets(self.settings.kafka_servers, CONSUMER_GROUP).ends("account-entries")
        if any(ends.values()):
            raise JobError(
                "account-entries holds entries, but the job's snapshots are gone: started without its "
                "memory of transaction ids, it would count all events a second time. "
                "./dev up --fresh starts over without the data."
            )

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
            target = f"file://{self._folder}/stops"
            trigger = httpx.post(
                f"{self.settings.flink_url}/jobs/{job}/stop",
                json={"drain": False, "targetDirectory": target},
                timeout=10,
                trust_env=False,
            ).json()["request-id"]
            deadline = time.monotonic() + limit_s
            while time.monotonic() < deadline:
                said = self._get(f"/jobs/{job}/savepoints/{trigger}")
                if said["status"]["id"] == "COMPLETED":
                    if "failure-cause" not in said["operation"]:
                        self._wait_ended()
                    return snapshots.stop_savepoint(self._folder)
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
        while (active := self.active()) is None and remembered_jobs(self.settings.zookeeper):
            if time.monotonic() > deadline or self.stopping():
                raise JobError("Flink remembers the job, but does not recover it.")
            time.sleep(POLL_S)
        return active

    def _wait_ended(self) -> None:
        """Wait until Flink has dropped the job, so that no later start recovers it by itself."""
        deadline = time.monotonic() + RUNNING_LIMIT_S
        while self.active() is not None or remembered_jobs(self.settings.zookeeper):
            if time.monotonic() > deadline:
                raise JobError("The job does not end.")
            time.sleep(0.1)

    def _retire(self, job: str) -> None:
        """End a job of older code: with a savepoint, or, where it cannot take one, at its last checkpoint."""
        if self.stop_with_savepoint() is None:
            httpx.patch(f"{self.settings.flink_url}/jobs/{job}", timeout=10, trust_env=False)
        self._wait_ended()

    def _submit(self, restore: Path | None) -> str:
        command = [str(self.python), "-m", "stream_jobs.job"]
        command += ["--kafka", self.settings.kafka_servers]
        command += ["--flink", f"{self.settings.host}:{self.settings.flink_rest_port}"]
        command += ["--checkpoints", f"file://{self._folder}/checkpoints"]
        command += ["--savepoints", f"file://{self._folder}/savepoints"]
        if restore is not None:
            command += ["--restore-from", f"file://{restore}"]
        said = subprocess.run(
            command,
            env={**self.environment, **flink_environment(self.settings)},
            cwd=CHECKOUT,
            capture_output=True,
            text=True,
            timeout=SUBMIT_LIMIT_S,
        )
        if said.returncode != 0:
            raise JobError(f"The job could not be submitted:\n{said.stderr.strip()[-3000:]}")
        return said.stdout.strip().splitlines()[-1]

    def _digest(self) -> str:
        """A digest of what the job is made of and told: a change in it means a new submission."""
        told = (self.settings.kafka_servers, str(self._folder), str(self.python), sys.version)
        digest = hashlib.sha256(repr(told).encode())
        folder = CHECKOUT / "stream_jobs"
        for name in ("job.py", "job_settings.py", "event_rules.py"):
            digest.update((folder / name).read_bytes())
        for file in sorted((folder / "sql").glob("*.sql")):
            digest.update(file.read_bytes())
        return digest.hexdigest()

    def _newest_exception(self, job: str) -> str:
        history = (
            self._get(f"/jobs/{job}/exceptions").get("exceptionHistory", {}).get("entries", [])
        )
        return str(history[0]["stacktrace"])[:1500] if history else ""

    def _get(self, path: str) -> dict[str, Any]:
        answer = httpx.get(f"{self.settings.flink_url}{path}", timeout=10, trust_env=False)
        answer.raise_for_status()
        body: dict[str, Any] = answer.json()
        return body
