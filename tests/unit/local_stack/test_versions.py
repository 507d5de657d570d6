"""The code of a submitted job is kept beside its state, and only one at a time starts or stops it."""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from local_stack import versions
from local_stack.settings import CHECKOUT, StackSettings

SETTINGS = StackSettings()
PYTHON = Path(sys.executable)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    skipped = shutil.ignore_patterns("__pycache__")
    shutil.copytree(CHECKOUT / "stream_jobs", tmp_path / "other/stream_jobs", ignore=skipped)
    return tmp_path / "other"


def test_the_same_code_elsewhere_is_the_same_version(source: Path) -> None:
    assert versions.digest(SETTINGS, PYTHON, source) == versions.digest(SETTINGS, PYTHON)


@pytest.mark.parametrize(
    "file", ["job/sql/20_judged.sql", "events/rules.py", "job/operator_ids.py"]
)
def test_any_change_of_the_job_is_another_version(source: Path, file: str) -> None:
    before = versions.digest(SETTINGS, PYTHON, source)
    path = source / "stream_jobs" / file
    path.write_text(path.read_text() + "\n")
    assert versions.digest(SETTINGS, PYTHON, source) != before


def test_another_setting_is_another_version() -> None:
    for changed in (
        replace(SETTINGS, job_transaction_timeout_s=60),
        replace(SETTINGS, currency="EUR"),
        replace(SETTINGS, erased_accounts="refused"),
    ):
        assert versions.digest(changed, PYTHON) != versions.digest(SETTINGS, PYTHON)


def test_a_kept_version_does_not_change_with_its_source(source: Path, tmp_path: Path) -> None:
    kept = versions.keep(tmp_path, "one", source)
    (source / "stream_jobs/job/__main__.py").write_text("changed")
    assert versions.keep(tmp_path, "one", source) == kept == versions.folder_of(tmp_path, "one")
    assert (kept / "stream_jobs/job/__main__.py").read_text() != "changed"


def test_only_the_last_versions_are_kept(source: Path, tmp_path: Path) -> None:
    for number, name in enumerate(("a", "b", "c", "d")):
        place = versions.keep(tmp_path, name, source)
        os.utime(place, (number, number))
    assert {place.name for place in (tmp_path / "versions").iterdir()} == {"b", "c", "d"}


def test_only_one_at_a_time_changes_the_job(tmp_path: Path) -> None:
    with versions.changing(tmp_path) as first, versions.changing(tmp_path) as second:
        assert (first, second) == (True, False)
    with versions.changing(tmp_path) as again:
        assert again
