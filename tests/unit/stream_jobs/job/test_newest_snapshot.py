"""Which snapshot a job goes on from when it is started again, on real folders."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from stream_jobs.job.newest_snapshot import (
    MAGIC,
    Snapshot,
    forget_others,
    newest,
)
from stream_jobs.job.snapshot import SnapshotError


class Folders:
    """A `Files` of plain folders."""

    def names(self, folder: str) -> Sequence[str]:
        path = Path(folder)
        return sorted(each.name for each in path.iterdir()) if path.is_dir() else []

    def head(self, file: str, size: int) -> bytes | None:
        path = Path(file)
        return path.read_bytes()[:size] if path.is_file() else None

    def remove(self, folder: str) -> None:
        shutil.rmtree(folder)


def take(folder: Path, number: int) -> str:
    """A whole snapshot's head, as Flink writes it."""
    folder.mkdir(parents=True)
    head = MAGIC.to_bytes(4, "big") + (6).to_bytes(4, "big") + number.to_bytes(8, "big")
    (folder / "_metadata").write_bytes(head + b"and what follows")
    return str(folder)


def found(root: Path) -> Snapshot | None:
    return newest(Folders(), f"{root}/checkpoints", f"{root}/savepoints")


def test_nothing_is_found_where_no_job_ever_ran(tmp_path: Path) -> None:
    assert found(tmp_path) is None


def test_the_largest_number_is_the_newest_across_runs_and_kinds(tmp_path: Path) -> None:
    take(tmp_path / "checkpoints/one/chk-9", 9)
    last = take(tmp_path / "checkpoints/two/chk-12", 12)
    take(tmp_path / "savepoints/savepoint-one-abc", 10)
    take(tmp_path / "checkpoints/two/chk-11", 11)
    assert found(tmp_path) == Snapshot(12, last)


def test_a_stop_by_savepoint_is_newer_than_the_checkpoints_before_it(tmp_path: Path) -> None:
    take(tmp_path / "checkpoints/one/chk-99", 99)
    last = take(tmp_path / "savepoints/savepoint-one-abc", 100)
    assert found(tmp_path) == Snapshot(100, last)


def test_a_checkpoint_that_was_not_finished_does_not_count(tmp_path: Path) -> None:
    last = take(tmp_path / "checkpoints/one/chk-9", 9)
    (tmp_path / "checkpoints/one/chk-10").mkdir()
    (tmp_path / "checkpoints/one/shared").mkdir()
    assert found(tmp_path) == Snapshot(9, last)


@pytest.mark.parametrize("head", [b"", b"too short", b"sixteen bytes of something"])
def test_what_cannot_be_read_is_not_passed_over_for_something_older(
    tmp_path: Path, head: bytes
) -> None:
    take(tmp_path / "checkpoints/one/chk-9", 9)
    take(tmp_path / "checkpoints/one/chk-10", 10)
    (tmp_path / "checkpoints/one/chk-10/_metadata").write_bytes(head)
    with pytest.raises(SnapshotError, match="chk-10/_metadata does not begin"):
        found(tmp_path)


def test_other_runs_are_forgotten_and_what_is_gone_on_from_stays_whole(tmp_path: Path) -> None:
    take(tmp_path / "checkpoints/one/chk-9", 9)
    last = take(tmp_path / "checkpoints/two/chk-12", 12)
    (tmp_path / "checkpoints/two/shared").mkdir()
    savepoint = take(tmp_path / "savepoints/savepoint-one-abc", 10)
    removed = forget_others(Folders(), f"{tmp_path}/checkpoints", Snapshot(12, last))
    assert removed == [f"{tmp_path}/checkpoints/one"]
    assert sorted(each.name for each in (tmp_path / "checkpoints").iterdir()) == ["two"]
    assert (tmp_path / "checkpoints/two/shared").is_dir()
    assert Path(savepoint).is_dir()
