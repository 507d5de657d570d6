"""A job is submitted to a cluster, or is the one of the cluster that starts it; never both, never neither."""

from __future__ import annotations

import argparse

import pytest

from stream_jobs.job.check import add_arguments, settings_of

FOLDERS = ("--kafka", "k:1", "--checkpoints", "file:///c", "--savepoints", "file:///s")
ELSEWHERE = {"execution.target", "execution.attached", "rest.address", "rest.port"}


def configured(*arguments: str) -> dict[str, str]:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return settings_of(parser.parse_args([*FOLDERS, *arguments])).flink_configuration()


def test_a_job_that_is_submitted_names_the_cluster() -> None:
    said = configured("--flink", "flink.example:8081")
    assert {name: said[name] for name in ELSEWHERE} == {
        "execution.target": "remote",
        "execution.attached": "false",
        "rest.address": "flink.example",
        "rest.port": "8081",
    }


def test_a_job_of_its_own_cluster_names_none_and_is_otherwise_the_same() -> None:
    submitted, own = configured("--flink", "flink.example:8081"), configured("--application")
    assert submitted.keys() - own.keys() == ELSEWHERE
    assert own.items() <= submitted.items()


@pytest.mark.parametrize("arguments", [(), ("--application", "--flink", "flink.example:8081")])
def test_neither_or_both_is_a_wrong_command_line(arguments: tuple[str, ...]) -> None:
    with pytest.raises(SystemExit) as wrong:
        configured(*arguments)
    assert wrong.value.code == 2


@pytest.mark.parametrize("told", [("--restore-from", "file:///s/savepoint-1"), ("--after-outage",)])
def test_what_the_job_is_told_its_check_can_be_told(told: tuple[str, ...]) -> None:
    """The chart gives both the same, and the check runs first."""
    assert configured("--application", *told)
