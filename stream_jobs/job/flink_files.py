"""The places that Flink's own file systems reach, through the JVM that PyFlink talks to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from py4j.protocol import Py4JJavaError
from pyflink.java_gateway import get_gateway


class FlinkFiles:
    """A `Files` of whatever schemes this Flink has: `file:`, and object stores whose plugins are there."""

    def __init__(self) -> None:
        self._paths = get_gateway().jvm.org.apache.flink.core.fs

    def names(self, folder: str) -> Sequence[str]:
        path, system = self._open(folder)
        if not system.exists(path):
            return []
        return sorted(str(each.getPath().getName()) for each in system.listStatus(path) or ())

    def head(self, file: str, size: int) -> bytes | None:
        path, system = self._open(file)
        if not system.exists(path):
            return None
        stream = system.open(path)
        try:
            read = [stream.read() for _ in range(size)]
        finally:
            stream.close()
        return bytes(each for each in read if each >= 0)

    def remove(self, folder: str) -> None:
        path, system = self._open(folder)
        try:
            system.delete(path, True)  # recursively
        except Py4JJavaError as error:
            print(f"{folder} could not be removed: {error.java_exception}", flush=True)

    def _open(self, uri: str) -> tuple[Any, Any]:
        path = self._paths.Path(uri)
        return path, path.getFileSystem()
