"""The job is submitted once, resumed from its newest snapshot, and never run twice or without its memory."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from local_stack import snapshots
from local_stack.flink_job import FlinkJob, JobError
from local_stack.snapshots import Submitted
from stream_jobs.job_settings import JOB_NAME


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

    def job(self, digest: str = "today") -> FlinkJob:
        transport = httpx.MockTransport(self._answer)
        return FlinkJob(
            rest=httpx.Client(base_url="http://flink", transport=transport),
            folder=self.folder,
            digest=digest,
            submit=self._submit,
            remembered=lambda: self.remembered,
            entries_exist=lambda: self.entries,
            stopping=lambda: False,
        )

    def _submit(self, restore: Path | None, parallelism: int) -> str:
        assert not [state for state in self.jobs.values() if state == "RUNNING"], "two jobs at once"
        self.submissions.append(restore)
        name = f"job-{len(self.submissions)}"
        self.jobs[name] = "RUNNING"
        self.remembered.append(name)
        return name

    def _end(self, job: str, state: str) -> None:
        self.jobs[job] = state
        self.remembered.remove(job)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        path, method = request.url.path, request.method
        routes: dict[str, Callable[[], object]] = {
            "/jobs/overview": self._overview,
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
            entry = {"stacktrace": "java.lang.OutOfMemoryError"}
            return httpx.Response(200, json={"exceptionHistory": {"entries": [entry]}})
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
            "jobs": [{"jid": i, "name": JOB_NAME, "state": state} for i, state in self.jobs.items()]
        }

    def _stop(self, job: str, target: Path) -> str:
        if not self.savepoints_fail:
            (target / f"savepoint-of-{job}").mkdir(parents=True)
            (target / f"savepoint-of-{job}/_metadata").touch()
            self._end(job, "FINISHED")
        return "request"


@pytest.fixture
def flink(tmp_path: Path) -> FakeFlink:
    return FakeFlink(tmp_path)


def checkpoint(folder: Path, job: str, number: int) -> Path:
    path = folder / "checkpoints" / job / f"chk-{number}"
    path.mkdir(parents=True)
    (path / "_metadata").touch()
    return path


def test_a_first_start_submits_and_a_second_look_keeps_what_runs(flink: FakeFlink) -> None:
    assert flink.job().ensure() == "submitted"
    assert flink.job().ensure() == "recovered by Flink"
    assert flink.submissions == [None]


def test_a_stopped_job_goes_on_from_its_savepoint(flink: FakeFlink) -> None:
    flink.job().ensure()
    checkpoint(flink.folder, "job-1", 7)
    stopped = flink.job().stop_with_savepoint()
    assert stopped == flink.folder / "stops/savepoint-of-job-1"
    assert flink.job().ensure() == "resumed from savepoint-of-job-1"
    assert flink.submissions == [None, stopped]


def test_a_job_that_flink_lost_goes_on_from_its_last_checkpoint(flink: FakeFlink) -> None:
    flink.job().ensure()
    last = checkpoint(flink.folder, "job-1", 7)
    flink.jobs.clear()
    flink.remembered.clear()
    flink.job().ensure()
    assert flink.submissions == [None, last]


def test_a_job_that_flink_is_about_to_recover_is_waited_for(flink: FakeFlink) -> None:
    snapshots.write_submitted(flink.folder, Submitted("job-0", "today", None))
    flink.remembered.append("job-0")
    flink.recover_on_look = "job-0"
    assert flink.job().ensure() == "recovered by Flink"
    assert flink.submissions == []


def test_changed_code_takes_over_from_a_savepoint(flink: FakeFlink) -> None:
    flink.job("yesterday").ensure()
    flink.job("today").ensure()
    assert flink.submissions == [None, flink.folder / "stops/savepoint-of-job-1"]
    assert flink.jobs == {"job-1": "FINISHED", "job-2": "RUNNING"}


def test_changed_code_takes_over_from_a_checkpoint_where_no_savepoint_can_be_had(
    flink: FakeFlink,
) -> None:
    flink.job("yesterday").ensure()
    last = checkpoint(flink.folder, "job-1", 3)
    flink.savepoints_fail = True
    flink.job("today").ensure()
    assert flink.submissions == [None, last]
    assert flink.jobs["job-1"] == "CANCELED"


def test_without_its_memory_but_with_entries_the_job_does_not_start(flink: FakeFlink) -> None:
    flink.entries = True
    with pytest.raises(JobError, match="would count all events a second time"):
        flink.job().ensure()
    assert flink.submissions == []


def test_killed_while_submitting_the_next_start_knows_where_the_job_began(flink: FakeFlink) -> None:
    flink.job().ensure()
    checkpoint(flink.folder, "job-1", 9)
    began = flink.job().stop_with_savepoint()

    def killed(_: Path | None, _parallelism: int) -> str:
        raise KeyboardInterrupt

    job = flink.job()
    broken = FlinkJob(**{name: getattr(job, name) for name in job.__slots__} | {"submit": killed})
    with pytest.raises(KeyboardInterrupt):
        broken.ensure()
    assert snapshots.newest(flink.folder) == began
    assert snapshots.stop_savepoint(flink.folder) is None  # it is not newer than what may run


def test_a_job_that_fails_is_told_with_flinks_own_words(flink: FakeFlink) -> None:
    flink.jobs["job-0"] = "FAILED"
    with pytest.raises(JobError, match="OutOfMemoryError"):
        flink.job().wait_running("job-0")
