"""A snapshot of the job's state as Flink has written it: how old it is, and rid of what its sinks still had to commit.

By Flink's own classes, in the JVM that submits the job, so that it works wherever Flink can read a snapshot.
"""

from __future__ import annotations

from typing import Any

from stream_jobs.job.operator_ids import STATEFUL

COMMITTER = "Sink Committer: "
METADATA, WHOLE = "_metadata", "_metadata.whole"
# The two halves of each sink: who writes, and who commits what a checkpoint has promised.
SINKS = frozenset(
    name for uid in STATEFUL if uid.endswith("-written") for name in (uid, COMMITTER + uid)
)


class SnapshotError(Exception):
    """A snapshot cannot be read, or not be written; the message says which."""


def taken_ms(jvm: Any, uri: str) -> int:
    """When the snapshot was completed, in epoch milliseconds by the clock of where it lies."""
    return int(
        _carefully(
            uri,
            lambda: _files(jvm, uri).getFileStatus(_path(jvm, uri, METADATA)).getModificationTime(),
        )
    )


def drop_pending_commits(jvm: Any, uri: str) -> list[str]:
    """Take the sinks' state out of a snapshot; the names of the operators that had some.

    Only the list of contents is written anew, beside the files that it names; the old one stays as `_metadata.whole`.
    Everything else is as before: offsets read, ids remembered.

    Raises SnapshotError.
    """
    return list(_carefully(uri, lambda: _drop(jvm, uri)))


def _drop(jvm: Any, uri: str) -> list[str]:
    checkpoints = jvm.org.apache.flink.runtime.checkpoint
    files, path = _files(jvm, uri), _path(jvm, uri, METADATA)
    told = jvm.java.io.DataInputStream(files.open(path))
    try:
        loader = jvm.Thread.currentThread().getContextClassLoader()
        snapshot = checkpoints.Checkpoints.loadCheckpointMetadata(told, loader, uri)
    finally:
        told.close()
    kept, dropped = jvm.java.util.ArrayList(), []
    for operator in snapshot.getOperatorStates():
        uid = operator.getOperatorUid().orElse("")
        if uid in SINKS:
            dropped.append(str(uid))
        else:
            kept.add(operator)
    if dropped:
        fresh = checkpoints.metadata.CheckpointMetadata(
            snapshot.getCheckpointId(),
            kept,
            snapshot.getMasterStates(),
            snapshot.getCheckpointProperties(),
        )
        _replace(jvm, uri, fresh)
    return sorted(dropped)


def _replace(jvm: Any, uri: str, fresh: Any) -> None:
    files = _files(jvm, uri)
    path, new, whole = (_path(jvm, uri, name) for name in (METADATA, f"{METADATA}.new", WHOLE))
    overwrite = jvm.org.apache.flink.core.fs.FileSystem.WriteMode.OVERWRITE
    written = files.create(new, overwrite)
    try:
        jvm.org.apache.flink.runtime.checkpoint.Checkpoints.storeCheckpointMetadata(fresh, written)
    finally:
        written.close()
    if not files.exists(whole):
        files.rename(path, whole)
    else:
        files.delete(path, False)
    files.rename(new, path)


def _path(jvm: Any, uri: str, name: str) -> Any:
    return jvm.org.apache.flink.core.fs.Path(f"{uri.rstrip('/')}/{name}")


def _files(jvm: Any, uri: str) -> Any:
    return _path(jvm, uri, METADATA).getFileSystem()


def _carefully(uri: str, step: Any) -> Any:
    from pyflink.util.exceptions import Py4JJavaError

    try:
        return step()
    except Py4JJavaError as failure:
        raise SnapshotError(f"The snapshot {uri}: {failure.java_exception.toString()}") from None
