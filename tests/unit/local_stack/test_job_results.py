"""A result that Flink could not read back is dropped, unless it keeps an ended job from starting again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from local_stack.job_results import drop_unreadable
from local_stack.settings import FLINK_CLUSTER

FAILED = {"id": "a1", "name": "account-entries", "application-status": "FAILED"}


@pytest.fixture
def results(tmp_path: Path) -> Path:
    folder = tmp_path / "ha" / "job-result-store" / FLINK_CLUSTER
    folder.mkdir(parents=True)
    return folder


def write(results: Path, name: str, result: object) -> Path:
    file = results / name
    file.write_text(json.dumps({"result": result}))
    return file


def test_the_result_without_an_application_is_dropped(tmp_path: Path, results: Path) -> None:
    file = write(results, "a1_DIRTY.json", FAILED)
    assert drop_unreadable(tmp_path, lambda: ["b2"]) == ["a1"]
    assert not file.exists()


def test_it_stays_while_flink_would_start_the_job_again(tmp_path: Path, results: Path) -> None:
    file = write(results, "a1_DIRTY.json", FAILED)
    assert drop_unreadable(tmp_path, lambda: ["a1"]) == []
    assert file.exists()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a1_DIRTY.json", json.dumps({"result": {**FAILED, "application-id": "c3"}})),
        ("a1.json", json.dumps({"result": FAILED})),
        ("a1_DIRTY.json", '{"result": {"id": '),
        ("a1_DIRTY.json", "{}"),
    ],
)
def test_what_flink_can_read_or_nobody_can_is_left_alone(
    tmp_path: Path, results: Path, name: str, text: str
) -> None:
    (results / name).write_text(text)
    assert drop_unreadable(tmp_path, lambda: pytest.fail("nothing is to be looked up")) == []
    assert (results / name).read_text() == text


def test_without_flinks_data_there_is_nothing_to_drop(tmp_path: Path) -> None:
    assert drop_unreadable(tmp_path / "none", list) == []
