"""One audit over tiers in memory, with the job that leaves the outcomes."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.audit_bench import Bench
from tests.audit_job import Job
from tests.audit_tiers import MemoryKafka, serve


@pytest.fixture
def kafka() -> MemoryKafka:
    return MemoryKafka()


@pytest.fixture
def job(kafka: MemoryKafka) -> Job:
    return Job(kafka)


@pytest.fixture
def audit(
    kafka: MemoryKafka, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[], Bench]]:
    """Begins an audit, or goes on with it: the one before is closed as by a kill."""
    monkeypatch.setattr(logging.getLogger("audit"), "disabled", True)
    begun: list[Bench] = []

    def begin() -> Bench:
        for bench in begun:
            bench.close()
        begun[:] = [Bench(kafka, serve(kafka), tmp_path)]
        return begun[0]

    yield begin
    for bench in begun:
        bench.close()
