"""Flink's REST API and its high-availability store, as far as our one job sees them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from local_stack.flink_job import FlinkJob, JobError
from stream_jobs.topics.names import NAMES


@dataclass
class FakeFlink:
    """Flink's REST API and its high-availability store, as far as our one job sees them."""

    folder: Path
    jobs: dict[str, str] = field(default_factory=dict)  # id: state
    remembered: list[str] = field(default_factory=list)
    submissions: list[Path | None] = field(default_factory=list)
    savepoints_fail: bool = False
    recover_on_look: str = ""  # a remembered job that comes up at the second look
    entries: bool = False
    looks: int = 0
    cannot_start: set[str] = field(default_factory=set)  # digests of versions that Flink refuses
    cannot_run: set[str] = field(
        default_factory=set
    )  # digests of versions that fail at every start
    restored: dict[str, Path | None] = field(default_factory=dict)
    parallelism: list[int] = field(default_factory=list)

    exception: str = "java.lang.OutOfMemoryError"  # of a job that cannot run

    def job(self, digest: str = "today", *, after_outage: bool = False) -> FlinkJob:
        transport = httpx.MockTransport(self._answer)
        return FlinkJob(
            rest=httpx.Client(base_url="http://flink", transport=transport),
            folder=self.folder,
            digest=digest,
            submit=lambda restore, parallelism: self._submit(restore, parallelism, digest),
            remembered=lambda: self.remembered,
            entries_exist=lambda: self.entries,
            stopping=lambda: False,
            after_outage=after_outage,
        )

    def _submit(self, restore: Path | None, parallelism: int, digest: str) -> str:
        if digest in self.cannot_start:
            raise JobError("There is no operator for the state of 'transaction-ids-seen'.")
        assert not [state for state in self.jobs.values() if state == "RUNNING"], "two jobs at once"
        self.submissions.append(restore)
        name = f"job-{len(self.submissions)}"
        self.jobs[name] = "RESTARTING" if digest in self.cannot_run else "RUNNING"
        self.remembered.append(name)
        self.restored[name] = restore
        self.parallelism.append(parallelism)
        return name

    def _end(self, job: str, state: str) -> None:
        self.jobs[job] = state
        self.remembered.remove(job)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        path, method = request.url.path, request.method
        routes: dict[str, Callable[[], object]] = {
            "/jobs/overview": self._overview,
            "/overview": lambda: {"slots-total": 4},
        }
        if path in routes:
            return httpx.Response(200, json=routes[path]())
        job = path.split("/")[2]
        if path.endswith("/stop"):
            target = json.loads(request.content)["targetDirectory"].removeprefix("file://")
            return httpx.Response(202, json={"request-id": self._stop(job, Path(target))})
        if "/savepoints/" in path:
            failed = {"failure-cause": {"class": "CheckpointException"}}
            operation = failed if self.savepoints_fail else {"location": "file:/somewhere"}
            return httpx.Response(200, json={"status": {"id": "COMPLETED"}, "operation": operation})
        if path.endswith("/exceptions"):
            entry = {"stacktrace": self.exception}
            return httpx.Response(200, json={"exceptionHistory": {"entries": [entry] * 3}})
        if path.endswith("/checkpoints"):
            restored = self.restored[job]
            newest = {
                "restored": restored and {"external_path": f"file:{restored}"},
                "completed": {"id": 1},
            }
            return httpx.Response(200, json={"latest": newest})
        if method == "PATCH":
            self._end(job, "CANCELED")
            return httpx.Response(202)
        vertex = {"status": self.jobs[job]}
        return httpx.Response(200, json={"state": self.jobs[job], "vertices": [vertex]})

    def _overview(self) -> object:
        self.looks += 1
        if self.recover_on_look and self.looks > 1:
            self.jobs[self.recover_on_look] = "RUNNING"
        return {
            "jobs": [
                {"jid": i, "name": NAMES.job, "state": state} for i, state in self.jobs.items()
            ]
        }

    def _stop(self, job: str, target: Path) -> str:
        if not self.savepoints_fail:
            (target / f"savepoint-of-{job}").mkdir(parents=True)
            (target / f"savepoint-of-{job}/_metadata").touch()
            self._end(job, "FINISHED")
        return "request"
