"""The job on the local Flink: submitted once, resumed from where it stood, stopped with a savepoint."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
from kazoo.exceptions import KazooException
from kazoo.handlers.threading import KazooTimeoutError

from local_stack import job_results, snapshots
from local_stack.settings import StackSettings
from stream_jobs.topics.names import NAMES

PARALLELISM = 2
OUTAGE_RESERVE_S = 14 * 86_400
ENDED = {"FINISHED", "CANCELED", "FAILED"}
POLL_S = 0.5
# A job whose state does not fit fails again at every start; a part that is just away comes back.
FAILURES_LIMIT = 3
RUNNING_LIMIT_S = 240
# Longer than a checkpoint may take: a savepoint that completes unseen would still be the one to go on from.
STOP_LIMIT_S = 150
# What Kafka says of a transactional id that has expired.
FORGOTTEN = "InvalidPidMappingException"


class JobError(Exception):
    """The job could not be submitted or does not run; the message ends with what Flink said."""


@dataclass(frozen=True, slots=True)
class FlinkJob:
    """Our one job on one Flink cluster, whose snapshots lie in `folder`.

    `submit(snapshot, parallelism)` starts the job and returns its id; `digest` stands for its code and settings;
    `remembered()` names the jobs that Flink would recover; `entries_exist()` tells whether the job ever
    wrote anything; `stopping()` ends every wait. `after_outage`: start from the newest snapshot, however old, without
    what its sinks still had to commit.
    """

    rest: httpx.Client
    folder: Path
    digest: str
    submit: Callable[[Path | None, int], str]
    remembered: Callable[[], list[str]]
    entries_exist: Callable[[], bool]
    stopping: Callable[[], bool]
    after_outage: bool = False

    def ensure(self) -> str:
        """Make sure that the job runs, with today's code; say in a few words how it came to.

        Raises:
            JobError: it cannot be submitted, does not reach RUNNING, or would count twice.

        """
        last = snapshots.submitted(self.folder)
        active = self._active_or_recovered()
        same = last is not None and last.digest == self.digest
        if active is not None and same and not self.after_outage:
            self.adopt(active)
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
        job = self.start_from(restore, last.parallelism if last else PARALLELISM)
        self.wait_running(job)
        snapshots.sweep(self.folder)
        return f"resumed from {restore.name}" if restore else "submitted"

    def start_from(self, restore: Path | None, parallelism: int) -> str:
        """Submit the job from a snapshot and write it down; return its id.

        Raises:
            JobError: with what Flink said.

        """
        # A version that could not start may have left one.
        job_results.drop_unreadable(self.folder, self.remembered)
        began = snapshots.Submitted("", self.digest, str(restore) if restore else None, parallelism)
        # Before and after: killed in between, the next start must know from what the job began.
        snapshots.begin(self.folder, began)
        job = self.submit(restore, parallelism)
        snapshots.write_submitted(self.folder, replace(began, job=job))
        return job

    def adopt(self, job: str) -> None:
        """Write down the id of a job that was submitted by somebody who did not live to do so."""
        last = snapshots.submitted(self.folder)
        if last is not None and not last.job:
            snapshots.write_submitted(self.folder, replace(last, job=job))

    def active(self) -> str | None:
        """The id of our job if the cluster has it in any state but an ended one."""
        for job in self._get("/jobs/overview")["jobs"]:
            if job["name"] == NAMES.job and job["state"] not in ENDED:
                return str(job["jid"])
        return None

    def wait_running(self, job: str, *, patient: bool = True) -> None:
        """Wait until every task of the job runs; not `patient`: give up when it failed a few times.

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
            if said["state"] in ENDED or not (patient or self._failures(job) < FAILURES_LIMIT):
                break
            if said["state"] == "RESTARTING" and FORGOTTEN in self._newest_exception(job):
                raise JobError(
                    "Kafka has forgotten the transactional ids that the job's snapshot names, so it fails at every "
                    "start. ./dev down, then ./dev up --after-outage leaves them out; then ./dev repair --apply "
                    "writes what they had not committed."
                )
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

    def cancel(self, job: str) -> None:
        """End a job at its last checkpoint and wait until Flink has dropped it.

        Raises:
            JobError: it does not end.

        """
        self.rest.patch(f"/jobs/{job}")
        self._wait_ended()

    def checkpoints(self, job: str) -> dict[str, Any]:
        """The newest checkpoints of the job by kind: `restored`, `completed`, each None if there is none."""
        newest: dict[str, Any] = self._get(f"/jobs/{job}/checkpoints")["latest"]
        return newest

    def slots(self) -> int:
        """How many tasks of one kind the cluster can run side by side."""
        return int(self._get("/overview")["slots-total"])

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

    def _failures(self, job: str) -> int:
        return len(self._exceptions(job))

    def _newest_exception(self, job: str) -> str:
        history = self._exceptions(job)
        return str(history[0]["stacktrace"])[:1500] if history else ""

    def _exceptions(self, job: str) -> list[dict[str, Any]]:
        said = self._get(f"/jobs/{job}/exceptions").get("exceptionHistory", {})
        entries: list[dict[str, Any]] = said.get("entries", [])
        return entries

    def _get(self, path: str) -> dict[str, Any]:
        answer = self.rest.get(path)
        answer.raise_for_status()
        body: dict[str, Any] = answer.json()
        return body


def job_arguments(settings: StackSettings, parallelism: int) -> list[str]:
    """What the job is told on its command line."""
    folder = settings.data / "flink"
    return [
        *("--kafka", settings.kafka_servers),
        *("--flink", f"{settings.host}:{settings.flink_rest_port}"),
        *("--checkpoints", f"file://{folder}/checkpoints"),
        *("--savepoints", f"file://{folder}/savepoints"),
        *("--parallelism", str(parallelism)),
        *("--transaction-timeout-s", str(settings.job_transaction_timeout_s)),
        # A laptop sleeps for days, and two weeks more of its few ids cost nothing.
        *("--outage-reserve-s", str(OUTAGE_RESERVE_S)),
        *("--environment", settings.environment),
        *settings.event_arguments,
        *settings.erasure_arguments,
    ]
