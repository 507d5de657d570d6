"""An upgrade goes on from the savepoint, keeps the parallelism, and leaves the version of before running if not."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast

import pytest

from local_stack import snapshots
from local_stack.duplicate_probe import Counted, DuplicateProbe, ProbeError
from local_stack.flink_job import JobError
from local_stack.upgrade import Upgrade, UpgradeError
from tests.unit.local_stack.fake_flink import FakeFlink
from tests.unit.local_stack.test_flink_job import checkpoint


@dataclass
class FakeProbe:
    """A probe that finds the memory gone, or not."""

    flink: FakeFlink
    forgets: bool = False
    checkpoint_before_it_is_found: bool = False
    asked: list[str] = field(default_factory=list)

    def counted(self) -> Counted:
        assert "RUNNING" not in self.flink.jobs.values(), "asked while the job goes on"
        self.asked.append("counted")
        return Counted((), frozenset({"id"}), {})

    def check(self, counted: Counted) -> int:
        self.asked.append("check")
        if self.checkpoint_before_it_is_found:
            checkpoint(self.flink.folder, "job-2", 5)
        if self.forgets:
            raise ProbeError("1 of 1 ids were counted a second time.")
        return len(counted.ids)


@pytest.fixture
def flink(tmp_path: Path) -> FakeFlink:
    fake = FakeFlink(tmp_path)
    fake.job("yesterday").ensure()
    return fake


def upgrade(flink: FakeFlink, probe: FakeProbe | None = None) -> tuple[Upgrade, list[str]]:
    told: list[str] = []
    probing = cast("DuplicateProbe", probe or FakeProbe(flink))
    made = Upgrade(flink.job("yesterday"), flink.job("today"), lambda _: None, probing, told.append)
    return made, told


def test_the_new_version_goes_on_from_the_savepoint_of_the_one_before(flink: FakeFlink) -> None:
    probe = FakeProbe(flink)
    made, told = upgrade(flink, probe)
    made.run(None)
    assert flink.submissions == [None, flink.folder / "stops/savepoint-of-job-1"]
    assert flink.jobs == {"job-1": "FINISHED", "job-2": "RUNNING"}
    assert probe.asked == ["counted", "check"]
    assert any("none was counted again" in line for line in told)
    last = snapshots.submitted(flink.folder)
    assert last is not None
    assert (last.job, last.digest) == ("job-2", "today")


def test_a_parallelism_is_taken_and_kept(flink: FakeFlink) -> None:
    upgrade(flink)[0].run(3)
    upgrade(flink)[0].run(None)
    assert flink.parallelism == [2, 3, 3]


def test_a_version_that_flink_refuses_is_taken_back(flink: FakeFlink) -> None:
    flink.cannot_start.add("today")
    made, _ = upgrade(flink)
    with pytest.raises(UpgradeError, match=r"(?s)no operator for the state.*before runs again"):
        made.run(3)
    savepoint = flink.folder / "stops/savepoint-of-job-1"
    assert flink.submissions == [None, savepoint]
    assert flink.restored["job-2"] == savepoint
    assert flink.parallelism[-1] == 2
    last = snapshots.submitted(flink.folder)
    assert last is not None
    assert last.digest == "yesterday"


def test_taken_back_after_several_upgrades_it_is_the_last_savepoint(flink: FakeFlink) -> None:
    upgrade(flink)[0].run(None)
    flink.cannot_start.add("tomorrow")
    probe = cast("DuplicateProbe", FakeProbe(flink))
    made = Upgrade(flink.job("today"), flink.job("tomorrow"), lambda _: None, probe, print)
    with pytest.raises(UpgradeError, match="before runs again"):
        made.run(None)
    assert flink.restored["job-3"] == flink.folder / "stops/savepoint-of-job-2"


def test_a_version_that_fails_at_every_start_is_taken_back(flink: FakeFlink) -> None:
    flink.cannot_run.add("today")
    made, _ = upgrade(flink)
    with pytest.raises(UpgradeError, match="OutOfMemoryError"):
        made.run(None)
    assert flink.jobs == {"job-1": "FINISHED", "job-2": "CANCELED", "job-3": "RUNNING"}
    assert flink.restored["job-3"] == flink.folder / "stops/savepoint-of-job-1"


def test_going_back_starts_from_the_new_versions_checkpoint_if_it_made_one(
    flink: FakeFlink,
) -> None:
    probe = FakeProbe(flink, forgets=True, checkpoint_before_it_is_found=True)
    made, _ = upgrade(flink, probe)
    with pytest.raises(UpgradeError, match="counted a second time"):
        made.run(None)
    assert flink.restored["job-3"] == flink.folder / "checkpoints/job-2/chk-5"
    assert flink.jobs["job-3"] == "RUNNING"


def test_without_a_savepoint_nothing_is_stopped(flink: FakeFlink) -> None:
    flink.savepoints_fail = True
    made, _ = upgrade(flink)
    with pytest.raises(UpgradeError, match="goes on as it was"):
        made.run(None)
    assert flink.jobs == {"job-1": "RUNNING"}


def test_too_much_side_by_side_is_refused_before_anything_is_stopped(flink: FakeFlink) -> None:
    made, _ = upgrade(flink)
    with pytest.raises(UpgradeError, match="4 slots"):
        made.run(5)
    assert flink.jobs == {"job-1": "RUNNING"}


def test_a_dangerous_configuration_is_refused_before_anything_is_stopped(flink: FakeFlink) -> None:
    def refuse(parallelism: int) -> None:
        assert parallelism == 3
        raise JobError("sink-delivery-guarantee: ...")

    made, _ = upgrade(flink)
    with pytest.raises(JobError, match="sink-delivery-guarantee"):
        replace(made, check=refuse).run(3)
    assert flink.jobs == {"job-1": "RUNNING"}


def test_without_a_job_there_is_nothing_to_upgrade(tmp_path: Path) -> None:
    made, _ = upgrade(FakeFlink(tmp_path))
    with pytest.raises(UpgradeError, match="no job to upgrade"):
        made.run(None)


def test_if_neither_version_starts_that_is_said(flink: FakeFlink) -> None:
    flink.cannot_start |= {"today", "yesterday"}
    made, _ = upgrade(flink)
    with pytest.raises(UpgradeError, match="the one before neither"):
        made.run(None)
    assert snapshots.newest(flink.folder) == flink.folder / "stops/savepoint-of-job-1"
