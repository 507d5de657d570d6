"""The newest snapshot of the job is told by how it came about, whatever the clock said."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from local_stack import snapshots
from local_stack.snapshots import Submitted


def snapshot(folder: Path, name: str, age_s: float = 0) -> Path:
    """A complete snapshot whose files say that it is `age_s` old."""
    path = folder / name
    path.mkdir(parents=True)
    metadata = path / "_metadata"
    metadata.touch()
    stamp = metadata.stat().st_mtime - age_s
    for each in (metadata, path):
        os.utime(each, (stamp, stamp))
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    snapshots.write_submitted(
        tmp_path, Submitted("job-b", "digest", str(tmp_path / "stops/savepoint-a"))
    )
    return tmp_path


def test_without_any_snapshot_there_is_none(tmp_path: Path) -> None:
    assert snapshots.newest(tmp_path) is None


def test_a_stops_savepoint_is_newer_than_every_checkpoint_of_the_job(folder: Path) -> None:
    snapshot(folder, "checkpoints/job-b/chk-9")
    stopped = snapshot(folder, "stops/savepoint-b", age_s=3600)  # the clock was set back
    assert snapshots.newest(folder) == stopped == snapshots.stop_savepoint(folder)


def test_the_savepoint_that_the_job_began_from_is_older_than_its_checkpoints(folder: Path) -> None:
    snapshot(folder, "stops/savepoint-a")
    last = snapshot(folder, "checkpoints/job-b/chk-10", age_s=3600)
    snapshot(folder, "checkpoints/job-b/chk-9")
    assert snapshots.stop_savepoint(folder) is None
    assert snapshots.newest(folder) == last


def test_before_its_first_checkpoint_a_job_goes_on_from_where_it_began(folder: Path) -> None:
    began = snapshot(folder, "stops/savepoint-a")
    snapshot(folder, "checkpoints/job-a/chk-77")  # of the job before
    assert snapshots.newest(folder) == began


def test_half_a_snapshot_is_none(folder: Path) -> None:
    (folder / "stops/savepoint-c").mkdir(parents=True)
    (folder / "checkpoints/job-b/chk-1").mkdir(parents=True)
    assert snapshots.stop_savepoint(folder) is None
    assert snapshots.newest(folder) == folder / "stops/savepoint-a"


def test_an_operators_own_savepoint_is_never_taken_for_a_stop(folder: Path) -> None:
    last = snapshot(folder, "checkpoints/job-b/chk-3", age_s=60)
    snapshot(folder, "savepoints/savepoint-by-hand")
    assert snapshots.newest(folder) == last


def test_what_is_older_than_the_running_job_is_swept_away(folder: Path) -> None:
    began = snapshot(folder, "stops/savepoint-a")
    old = snapshot(folder, "stops/savepoint-0")
    older = snapshot(folder, "checkpoints/job-a/chk-1")
    kept = snapshot(folder, "checkpoints/job-b/chk-1")
    snapshots.sweep(folder)
    assert began.exists()
    assert kept.exists()
    assert not old.exists()
    assert not older.parent.exists()


def test_a_checkpoint_that_the_job_began_from_keeps_its_neighbours(tmp_path: Path) -> None:
    began = snapshot(tmp_path, "checkpoints/job-a/chk-5")
    shared = tmp_path / "checkpoints/job-a/shared"
    shared.mkdir()
    snapshots.write_submitted(tmp_path, Submitted("job-b", "digest", str(began)))
    snapshots.sweep(tmp_path)
    assert shared.exists()
    assert snapshots.newest(tmp_path) == began


def test_a_start_that_fails_does_not_bring_an_older_savepoint_back(folder: Path) -> None:
    snapshot(folder, "stops/savepoint-a")  # what the stopped job had begun from
    newest = snapshot(folder, "stops/savepoint-b", age_s=3600)
    snapshots.begin(folder, Submitted("", "digest", str(newest)))
    assert snapshots.newest(folder) == newest
    assert snapshots.stop_savepoint(folder) is None


def test_a_start_from_a_checkpoint_that_fails_does_not_bring_the_savepoint_back(
    folder: Path,
) -> None:
    snapshot(folder, "stops/savepoint-a")
    last = snapshot(folder, "checkpoints/job-b/chk-7")
    shared = folder / "checkpoints/job-b/shared"
    shared.mkdir()
    snapshots.begin(folder, Submitted("", "digest", str(last)))
    assert snapshots.newest(folder) == last
    assert shared.exists()


def test_killed_before_the_savepoints_were_put_in_order_the_newest_is_still_known(
    folder: Path,
) -> None:
    stopped = snapshot(folder, "stops/savepoint-b")  # savepoint-a is gone already
    assert snapshots.newest(folder) == stopped


def test_checkpoints_of_a_job_whose_id_was_not_written_down_are_its_own(folder: Path) -> None:
    began = snapshot(folder, "checkpoints/job-b/chk-70")
    snapshots.begin(folder, Submitted("", "digest", str(began)))
    own = snapshot(folder, "checkpoints/job-c/chk-71")
    snapshot(folder, "checkpoints/job-b/chk-69")
    assert snapshots.newest(folder) == own


def test_a_snapshot_is_as_old_as_its_list_of_contents_and_a_lost_one_has_no_age(
    tmp_path: Path,
) -> None:
    assert 3_600 <= snapshots.age_s(snapshot(tmp_path, "stops/savepoint-a", 3_600)) < 3_700
    assert snapshots.age_s(tmp_path / "stops/savepoint-b") == 0
