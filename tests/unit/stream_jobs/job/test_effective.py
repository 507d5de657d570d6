"""What the running job says of its checkpoints is compared with what was checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from stream_jobs.job.effective import cluster_configuration, differences, running_problems
from stream_jobs.job.settings import JobSettings
from stream_jobs.json_http import JsonHttpError

SETTINGS = JobSettings("kafka:9092", "flink:8081", Path("python"), "file:///c", "file:///s")
# As Flink 2.3.0 answers of our own job, without what is not looked at.
TOLD: Mapping[str, Any] = {
    "mode": "exactly_once",
    "interval": 1000,
    "timeout": 120000,
    "unaligned_checkpoints": False,
    "externalization": {"enabled": True, "delete_on_cancellation": False},
}


@dataclass
class Flink:
    """A job manager that does not know the job at the first look."""

    told: Mapping[str, Any]
    looks: int = 0

    def get(self, path: str) -> Any:
        self.looks += 1
        if self.looks == 1:
            raise JsonHttpError("HTTP 404")
        assert path == "/jobs/j/checkpoints/config"
        return self.told


def test_a_job_that_runs_as_it_was_checked_is_let_be() -> None:
    assert running_problems(SETTINGS, Flink(TOLD), "j") == []


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("mode", "at_least_once"),
        ("interval", 60_000),
        ("timeout", 600_000),
        ("unaligned_checkpoints", True),
        ("externalization", {"enabled": True, "delete_on_cancellation": True}),
        ("externalization", {"enabled": False, "delete_on_cancellation": False}),
    ],
)
def test_whatever_differs_is_a_problem_that_says_what_was_told(key: str, value: Any) -> None:
    (problem,) = differences(SETTINGS, {**TOLD, key: value})
    assert problem.rule == f"running-{key.replace('_', '-')}"
    assert repr(value) in problem.message


def test_an_answer_without_it_is_a_problem_too() -> None:
    assert len(list(differences(SETTINGS, {}))) == len(TOLD)


def test_the_clusters_options_are_read_by_name() -> None:
    class Cluster:
        def get(self, path: str) -> Any:
            assert path == "/jobmanager/config"
            return [{"key": "a.b", "value": "1"}, {"key": "c", "value": "x"}]

    assert cluster_configuration(Cluster()) == {"a.b": "1", "c": "x"}
