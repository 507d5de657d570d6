"""What is watched is one pipeline's, by its names."""

from __future__ import annotations

from typing import Any

from stream_jobs.progress.job_watch import JobWatch
from stream_jobs.topics.names import beside
from tests.unit.stream_jobs.progress.test_job_metrics import NOW_MS, Parts


class Asked(Parts):
    """Parts that note what they are asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.topics: set[str] = set()
        self.sql = ""

    def post(self, path: str, body: Any) -> Any:
        self.sql = body["sql"]
        return super().post(path, body)

    def ends(self, topic: str) -> dict[int, int]:
        self.topics.add(topic)
        return super().ends(topic)


def test_a_second_pipeline_is_watched_under_its_own_names() -> None:
    parts = Asked()
    look = JobWatch(parts, parts, parts, beside("blue")).look(NOW_MS)
    assert look.job is not None
    assert not look.job.running  # its job is not there
    assert parts.topics == {"account-entries-blue", "transactions-rejected-blue"}
    assert "transactions_rejected_blue" in parts.sql
