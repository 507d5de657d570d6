"""The job is submitted once, resumed from its newest snapshot, and never run twice or without its memory."""

from __future__ import annotations

from pathlib import Path

import pytest

from local_stack import snapshots
from local_stack.flink_job import FlinkJob, JobError
from local_stack.snapshots import Submitted
from tests.unit.local_stack.fake_flink import FakeFlink


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


def test_a_job_whose_transactional_ids_are_forgotten_names_the_command_to_go_on(
    flink: FakeFlink,
) -> None:
    flink.cannot_run.add("today")
    flink.exception = "InvalidPidMappingException: not currently assigned"
    with pytest.raises(JobError, match="--after-outage"):
        flink.job().ensure()


def test_after_an_outage_the_job_that_flink_recovered_makes_way_for_one_from_the_newest_snapshot(
    flink: FakeFlink,
) -> None:
    flink.job().ensure()
    last = checkpoint(flink.folder, "job-1", 7)
    flink.jobs["job-1"] = "RESTARTING"
    flink.savepoints_fail = True
    assert flink.job(after_outage=True).ensure() == "resumed from chk-7"
    assert flink.submissions == [None, last]
    assert flink.jobs["job-1"] == "CANCELED"
