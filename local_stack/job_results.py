"""What Flink writes down of a job that has ended, where it cannot read that back itself.

Flink 2.3.0 never finishes with a job that failed while it was initialised, as one does whose savepoint does not fit:
its result stays marked as unfinished, and names no application. A job manager that finds it ends with "Application
ID is missing in the recovered job result", at each of its starts, and takes the running job with it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from local_stack.settings import FLINK_CLUSTER

UNFINISHED = "_DIRTY.json"


def drop_unreadable(flink: Path, remembered: Callable[[], list[str]]) -> list[str]:
    """Remove such results from `flink`, the folder of Flink's data; the ids of their jobs.

    `remembered()` names the jobs that Flink would start again: of those the result stays, since it keeps a job
    that has ended from being one of them.
    """
    folder = flink / "ha" / "job-result-store" / FLINK_CLUSTER
    unreadable = [file for file in folder.glob(f"*{UNFINISHED}") if not _names_application(file)]
    kept = set(remembered()) if unreadable else set()
    dropped = []
    for file in unreadable:
        job = file.name.removesuffix(UNFINISHED)
        if job not in kept:
            file.unlink(missing_ok=True)
            dropped.append(job)
    return dropped


def _names_application(file: Path) -> bool:
    try:
        result = json.loads(file.read_bytes())["result"]
    except (OSError, ValueError, KeyError):
        return True  # half written, or gone: nothing that is known here
    return bool(result.get("application-id"))
