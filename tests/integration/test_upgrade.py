"""The job upgraded while events flow: changed SQL, other parallelism, and a version that cannot work."""

from __future__ import annotations

import shutil
from pathlib import Path

import httpx
import pytest

from tests.integration.flowing import traffic
from tests.integration.running_stack import CHECKOUT, PORTS, RunningStack

REST = f"http://127.0.0.1:{PORTS['STACK_FLINK_REST_PORT']}"


@pytest.fixture
def version(tmp_path: Path) -> Path:
    """A checkout with the job in it, to be changed."""
    skipped = shutil.ignore_patterns("__pycache__")
    shutil.copytree(CHECKOUT / "stream_jobs", tmp_path / "stream_jobs", ignore=skipped)
    return tmp_path


def change(version: Path, file: str, old: str, new: str) -> None:
    path = version / "stream_jobs" / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def parallelism(stack: RunningStack) -> set[int]:
    jobs = httpx.get(f"{REST}/jobs/overview", trust_env=False).json()["jobs"]
    job = next(job["jid"] for job in jobs if job["state"] == "RUNNING")
    body = httpx.get(f"{REST}/jobs/{job}", trust_env=False).json()
    return {vertex["parallelism"] for vertex in body["vertices"]}


@pytest.mark.timeout(1_200)  # two upgrades
def test_an_operator_more_and_another_one_side_by_side_keep_the_memory(
    stack: RunningStack, version: Path
) -> None:
    # One filter more on each path: by its place in the plan no operator would find its state again.
    change(
        version,
        "job/sql/20_judged.sql",
        "FROM transactions",
        "FROM transactions\nWHERE topic <> 'none'",
    )
    change(
        version,
        "job/sql/31_write_transactions_rejected.sql",
        "  verdict.detail,",
        "  UPPER(verdict.detail),",
    )
    with traffic(stack):
        said = stack.dev("upgrade", "--source", str(version), "--parallelism", "3")
        assert said.returncode == 0, said.stdout + said.stderr
        assert "none was counted again" in said.stdout
        assert parallelism(stack) == {3}
    with traffic(stack):
        said = stack.dev("upgrade", "--parallelism", "2")
        assert said.returncode == 0, said.stdout + said.stderr
        assert parallelism(stack) == {2}


def test_a_version_that_would_forget_every_id_is_taken_back(
    stack: RunningStack, version: Path
) -> None:
    change(version, "job/operator_ids.py", '"transactions-remembered"', '"something-else"')
    with traffic(stack):
        said = stack.dev("upgrade", "--source", str(version))
        assert said.returncode == 1, said.stdout + said.stderr
        assert "The version of before runs again" in said.stdout
    # Flink has to come back beside what the refused version left in its store.
    with traffic(stack):
        stack.wait_restarted("flink", stack.kill("flink"))


def test_a_version_with_another_key_is_taken_back(stack: RunningStack, version: Path) -> None:
    change(
        version,
        "job/sql/23_remembered.sql",
        "PARTITION BY transaction_key",
        "PARTITION BY transaction_id",
    )
    with traffic(stack):
        said = stack.dev("upgrade", "--source", str(version))
        assert said.returncode == 1, said.stdout + said.stderr
        assert "The version of before runs again" in said.stdout


def test_more_side_by_side_than_flink_has_room_for_is_refused_before_the_stop(
    stack: RunningStack,
) -> None:
    said = stack.dev("upgrade", "--parallelism", "5")
    assert said.returncode == 1
    assert "Flink has 4 slots" in said.stdout


def test_a_version_that_could_double_money_is_refused_before_the_stop(
    stack: RunningStack, version: Path
) -> None:
    change(version, "job/sql/11_account_entries.sql", "'exactly-once'", "'at-least-once'")
    said = stack.dev("upgrade", "--source", str(version))
    assert said.returncode == 1, said.stdout + said.stderr
    assert "sink-delivery-guarantee" in said.stdout
    assert "The job goes on as it was" in said.stdout
    assert stack.job_state() == "RUNNING"
