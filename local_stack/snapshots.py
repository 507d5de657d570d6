"""Which snapshot of the job's state is the newest, told by how it came about and not by the clock.

`submitted.json` says from what the running job was started. A savepoint in `stops/` that is another one
was taken when that job was stopped, after all of its checkpoints, and what came before it is committed:
going on from anything older would count that twice. Only our own stops write to `stops/`.
"""

from __future__ import annotations

import json
import shutil
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


def newest(folder: Path) -> Path | None:
    """What a job must go on from: the stop's savepoint, else the last checkpoint, else where it began."""
    stopped = stop_savepoint(folder)
    if stopped is not None:
        return stopped
    last = submitted(folder)
    # Without a job's id its submission was begun, and whatever checkpoints there are belong to older ones.
    job = last.job if last else "*"
    checkpoints = _complete(folder, f"checkpoints/{job}/chk-*") if job else []
    if checkpoints:
        return max(checkpoints, key=lambda path: (_number(path), path.stat().st_mtime))
    return Path(last.restored_from) if last and last.restored_from else None


def sweep(folder: Path) -> None:
    """Remove every snapshot older than the running job, except the one that it began from."""
    last = submitted(folder)
    if last is None or not last.job:
        return
    kept = {last.restored_from, str(folder / "checkpoints" / last.job)}
    if last.restored_from and "/checkpoints/" in last.restored_from:
        # Checkpoints build on files beside them.
        kept.add(str(Path(last.restored_from).parent))
    for path in (*folder.glob("stops/*"), *folder.glob("checkpoints/*")):
        if str(path) not in kept:
            shutil.rmtree(path, ignore_errors=True)


def _complete(folder: Path, pattern: str) -> list[Path]:
    return [file.parent for file in folder.glob(f"{pattern}/_metadata")]


def _number(checkpoint: Path) -> int:
    return int(checkpoint.name.removeprefix("chk-"))
