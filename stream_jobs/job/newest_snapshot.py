"""Which snapshot of the job's state is the newest, among all that lie in its folders; told by Flink's own numbers.

Flink numbers checkpoints and savepoints in one sequence, and a job that is restored goes on counting from
the number that it was restored from. So the largest number is the newest, whatever clocks say. The number
stands at the head of each snapshot's `_metadata`, which is written last: without it a snapshot is not whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from stream_jobs.job.snapshot import SnapshotError

METADATA: Final = "_metadata"
MAGIC: Final = 0x4960672D
HEAD_BYTES: Final = 16
"""Magic and version, four bytes each, then the number in eight; all big-endian."""


class Files(Protocol):
    """What is asked of the place where snapshots lie: a volume or an object store, by URI."""

    def names(self, folder: str) -> Sequence[str]:
        """What lies in a folder; nothing for one that is not there."""

    def head(self, file: str, size: int) -> bytes | None:
        """A file's first bytes; None for one that is not there."""

    def remove(self, folder: str) -> None: ...


@dataclass(frozen=True, slots=True, order=True)
class Snapshot:
    """A whole checkpoint or savepoint."""

    number: int
    uri: str


def newest(files: Files, checkpoints: str, savepoints: str) -> Snapshot | None:
    """The newest whole snapshot in either folder, if there is any.

    Raises SnapshotError: what cannot be read might be the newest, so nothing older may be taken for it.
    """
    return max(_whole(files, checkpoints, savepoints), default=None)


def forget_others(files: Files, checkpoints: str, kept: Snapshot) -> list[str]:
    """Remove the checkpoints of all runs but that which `kept` is of; return what was removed.

    Called before a run begins, so the folder holds two runs' at most. Savepoints are their takers'.
    """
    others = [
        f"{checkpoints}/{run}"
        for run in files.names(checkpoints)
        if not kept.uri.startswith(f"{checkpoints}/{run}/")
    ]
    for folder in others:
        files.remove(folder)
    return others


def _whole(files: Files, checkpoints: str, savepoints: str) -> Iterator[Snapshot]:
    folders = [f"{savepoints}/{name}" for name in files.names(savepoints)]
    for run in files.names(checkpoints):
        taken = [each for each in files.names(f"{checkpoints}/{run}") if each.startswith("chk-")]
        folders += [f"{checkpoints}/{run}/{name}" for name in taken]
    for folder in folders:
        head = files.head(f"{folder}/{METADATA}", HEAD_BYTES)
        if head is not None:
            yield Snapshot(_number(folder, head), folder)


def _number(folder: str, head: bytes) -> int:
    if len(head) < HEAD_BYTES or int.from_bytes(head[:4], "big") != MAGIC:
        raise SnapshotError(
            f"{folder}/{METADATA} does not begin as Flink's snapshots do. If it is none, remove it; if it was "
            "one, name the snapshot to go on from: --restore-from URI"
        )
    return int.from_bytes(head[8:16], "big")
