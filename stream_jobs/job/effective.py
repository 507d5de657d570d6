"""What of the job's settings is in effect on the Flink cluster: the cluster's own file, and what the running job says."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from stream_jobs.job.configuration import Problem
from stream_jobs.job.settings import CHECKPOINT_TIMEOUT, JobSettings
from stream_jobs.json_http import JsonHttpError

PATIENCE_S = 180.0  # a busy cluster sets a job up in minutes


class Rest(Protocol):
    """Flink's REST API; `JsonHttp` is one."""

    def get(self, path: str) -> Any: ...


def cluster_configuration(flink: Rest) -> dict[str, str]:
    """The options that the job manager was started with. Raises JsonHttpError."""
    return {entry["key"]: entry["value"] for entry in flink.get("/jobmanager/config")}


def running_problems(settings: JobSettings, flink: Rest, job: str) -> list[Problem]:
    """What a job that was just submitted does otherwise than it was checked for.

    Raises JsonHttpError if Flink does not tell within three minutes; the job may run all the same.
    """
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            told = flink.get(f"/jobs/{job}/checkpoints/config")
            return list(differences(settings, told))
        except JsonHttpError:  # it is still being set up
            if time.monotonic() > deadline:
                raise
            time.sleep(0.5)


def differences(settings: JobSettings, told: Mapping[str, Any]) -> Iterator[Problem]:
    """Of `/jobs/<id>/checkpoints/config`, where it is not as the settings have it; pure."""
    wanted: dict[str, tuple[object, str]] = {
        "mode": ("exactly_once", "after a failure events count twice"),
        "interval": (
            round(settings.checkpoint_interval.total_seconds() * 1000),
            "what is checked against the transaction timeout is another interval",
        ),
        "timeout": (
            round(CHECKPOINT_TIMEOUT.total_seconds() * 1000),
            "a savepoint would be waited for at the wrong length",
        ),
        "unaligned_checkpoints": (False, "asOf would promise what is not counted"),
        "externalization": (
            {"enabled": True, "delete_on_cancellation": False},
            "a job that is cancelled takes its memory with it",
        ),
    }
    for key, (value, danger) in wanted.items():
        if told.get(key) != value:
            yield Problem(
                f"running-{key.replace('_', '-')}",
                f"The running job has {key} {told.get(key)!r} instead of {value!r} (Flink's REST API, "
                f"checkpoints/config): {danger}. Look for execution.checkpointing.* in the cluster's configuration.",
            )
