"""Every benchmark runs to its end, and what it measured is understood: half an hour, for whoever changes one."""

from __future__ import annotations

import subprocess

import pytest

from tests.integration.running_stack import CHECKOUT, RunningStack


@pytest.mark.timeout(7_200)
def test_every_benchmark_runs_to_its_end() -> None:
    own = RunningStack(CHECKOUT / ".local" / "bench-stack").environment
    words = [str(CHECKOUT / "dev"), "bench", "all", "--quick"]
    done = subprocess.run(words, env=own, stdout=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 0, done.stdout
