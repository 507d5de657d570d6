"""Which snapshot of the job's state is the newest, told by how it came about and not by the clock.

`submitted.json` says from what the running job was started. A savepoint in `stops/` that is another one
was taken when that job was stopped, after all of its checkpoints, and what came before it is committed:
going on from anything older would count that twice. Only our own stops write to `stops/`.
"""

from __future__ import annotations

import json
import shutil
import time
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Submitted:
    """The last submission: the job's id (empty while it is begun), its digest, what it was restored from."""

    job: str
    digest: str
    restored_from: str | None
    parallelism: int = 2


def submitted(folder: Path) -> Submitted | None:
    """The last submission written down, if any."""
    try:
        return Submitted(**json.loads((folder / "submitted.json").read_text()))
    except (FileNotFoundError, ValueError, TypeError):
        return None


def write_submitted(folder: Path, last: Submitted) -> None:
    """Write a submission down, in one step."""
    fresh = folder / "submitted.json.new"
    fresh.write_text(json.dumps(asdict(last)))
    fresh.replace(folder / "submitted.json")


def stop_savepoint(folder: Path) -> Path | None:
    """The savepoint that the last job was stopped with, if it was."""
    last = submitted(folder)
    known = last.restored_from if last else None
    stops = [path for path in _complete(folder, "stops/savepoint-*") if str(path) != known]
    return max(stops, key=lambda path: path.stat().st_mtime, default=None)


def begin(folder: Path, submission: Submitted) -> None:
    """Write a submission down that is about to happen, and let its snapshot be the only one there is.

    What it starts from is the newest. Were anything older still there when the start fails, the next one
    could take that for newer, and count again what lies between.
    """
    if submission.restored_from is not None:
        _keep_only(folder, _needed(submission))
    write_submitted(folder, submission)


def newest(folder: Path) -> Path | None:
    """What a job must go on from: the stop's savepoint, else the last checkpoint, else where it began."""
    stopped = stop_savepoint(folder)
    if stopped is not None:
        return stopped
    last = submitted(folder)
    began = Path(last.restored_from) if last and last.restored_from else None
    # While a job's id is not known, every checkpoint but those that it may have begun from is its own.
    own = last.job if last and last.job else "*"
    checkpoints = [
        path
        for path in _complete(folder, f"checkpoints/{own}/chk-*")
        if began is None or last is None or last.job or path.parent != began.parent
    ]
    return max(checkpoints, key=lambda path: (_number(path), path.stat().st_mtime), default=began)


def age_s(snapshot: Path) -> float:
    """For how many seconds a snapshot has been complete; 0 of one that is gone, which whoever restores it tells."""
    try:
        return max(0.0, time.time() - (snapshot / "_metadata").stat().st_mtime)
    except FileNotFoundError:
        return 0.0


def sweep(folder: Path) -> None:
    """Remove every snapshot older than the running job, except the one that it began from."""
    last = submitted(folder)
    if last is not None and last.job:
        _keep_only(folder, _needed(last) | {str(folder / "checkpoints" / last.job)})


def _needed(submission: Submitted) -> set[str]:
    """The folders without which what a submission starts from is not whole."""
    began = submission.restored_from
    if began is None:
        return set()
    # Checkpoints build on files beside them.
    return {str(Path(began).parent) if "/checkpoints/" in began else began}


def _keep_only(folder: Path, kept: set[str]) -> None:
    for path in (*folder.glob("stops/*"), *folder.glob("checkpoints/*")):
        if str(path) not in kept:
            shutil.rmtree(path, ignore_errors=True)


def _complete(folder: Path, pattern: str) -> list[Path]:
    return [file.parent for file in folder.glob(f"{pattern}/_metadata")]


def _number(checkpoint: Path) -> int:
    return int(checkpoint.name.removeprefix("chk-"))
