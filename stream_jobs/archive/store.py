"""The archive's folder, here or in an object store: files are there whole or not at all, and listed in their order."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from pyarrow import NativeFile, fs

from stream_jobs.archive.layout import Part, folder_of, part_of

_WRITING: Final = ".writing"


class StoreError(OSError):
    """The folder is not what it must be, or another archiver writes to it."""


class Store:
    """`where` is a path, or a URL as pyarrow takes it (`s3://bucket/folder?region=…`)."""

    def __init__(self, where: str) -> None:
        if "://" in where:
            self._files, self._root = fs.FileSystem.from_uri(where)
        else:
            self._files, self._root = fs.LocalFileSystem(), str(Path(where).absolute())
        self._here = Path(self._root) if isinstance(self._files, fs.LocalFileSystem) else None
        self._lock: int | None = None

    def own(self) -> None:
        """Be the only one who archives into it. Only a local folder can tell: raises StoreError if another does."""
        if self._here is None:
            return
        self._here.mkdir(parents=True, exist_ok=True)
        self._lock = os.open(self._here / ".lock", os.O_CREAT | os.O_RDWR, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StoreError(f"another archiver writes to {self._root}") from None
        for left in (self._here / _WRITING).glob("*.new"):
            left.unlink()  # of one that was killed

    def release(self) -> None:
        """Let another one archive into it."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def topics(self) -> list[str]:
        """Those that something is archived of."""
        return [name for name in self._names("") if not name.startswith(".")]

    def partitions(self, topic: str) -> list[int]:
        """The kafka partitions that something is archived of."""
        names = self._names(topic)
        return sorted(int(name.removeprefix("partition=")) for name in names if "=" in name)

    def parts(self, topic: str, partition: int) -> Iterator[Part]:
        """The files of a kafka partition, in the order of their offsets. Raises StoreError for what is none."""
        for hour in self._hours(folder_of(topic, partition)):
            yield from self._of_hour(hour)

    def last(self, topic: str, partition: int) -> Part | None:
        """The newest of them, found without listing all."""
        found = folder_of(topic, partition)
        for day in reversed(self._names(found)):
            for hour in reversed(self._names(f"{found}/{day}")):
                if parts := self._of_hour(f"{found}/{day}/{hour}"):
                    return parts[-1]
        return None

    def open(self, part: Part) -> NativeFile:
        """The file, to be read from any place in it."""
        return self._files.open_input_file(f"{self._root}/{part.path}")

    def put(self, part: Part, content: bytes, suffix: str = "new") -> None:
        """Write a file, or put another in its place; until then nobody sees any of it, and afterwards it stays."""
        if self._here is None:
            # Object stores show an object once it is closed. What ends before that leaves nothing.
            with self._files.open_output_stream(f"{self._root}/{part.path}") as stream:
                stream.write(content)
            return
        target, writing = self._here / part.path, self._here / _WRITING
        made = f"{part.topic}.{part.partition}.{part.start}-{part.end}.{suffix}"
        writing.mkdir(exist_ok=True, parents=True)
        target.parent.mkdir(exist_ok=True, parents=True)
        with (writing / made).open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        (writing / made).replace(target)
        for folder in target.parents[:4]:  # hour, date, partition, topic: any of them may be new
            _sync(folder)

    def _hours(self, folder: str) -> Iterator[str]:
        for day in self._names(folder):
            for hour in self._names(f"{folder}/{day}"):
                yield f"{folder}/{day}/{hour}"

    def _of_hour(self, folder: str) -> list[Part]:
        parts = []
        for name in self._names(folder):
            part = part_of(f"{folder}/{name}")
            if part is None:
                raise StoreError(f"{self._root}/{folder}/{name} is no file of an archive")
            parts.append(part)
        return parts

    def _names(self, folder: str) -> list[str]:
        """What lies in a folder, sorted."""
        at = f"{self._root}/{folder}".rstrip("/")
        found = self._files.get_file_info(fs.FileSelector(at, allow_not_found=True))
        return sorted(each.base_name for each in found)


def _sync(folder: Path) -> None:
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
