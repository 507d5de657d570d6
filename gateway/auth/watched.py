"""A file that others change while the gateway runs: read again within a second of each change."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, TypeVar

from gateway import logs

Content = TypeVar("Content")
Signature = tuple[int, int, int]


class UnreadableError(ValueError):
    """The file is not there, or not what it should be; the message says what is wrong."""


@dataclass(slots=True)
class WatchedFile(Generic[Content]):
    """A file's content as it was at the last look.

    `without`: what stands in for a file that became unreadable; `None` keeps what was read last.
    """

    path: Path
    parse: Callable[[bytes], Content]
    without: Content | None = None
    content: Content = field(init=False)
    _seen: Signature | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        """Read the file for the first time; raises `UnreadableError`."""
        self._seen = self._signature()
        self.content = self._read()

    def look(self) -> bool:
        """Read the file again if it changed; whether it did."""
        now = self._signature()
        if now == self._seen:
            return False
        self._seen = now
        try:
            self.content = self._read()
        except UnreadableError as error:
            logs.logger().error("auth_file_unreadable", cause=str(error))
            if self.without is not None:
                self.content = self.without
        return True

    def _signature(self) -> Signature | None:
        try:
            found = self.path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino

    def _read(self) -> Content:
        try:
            return self.parse(self.path.read_bytes())
        except OSError as error:
            raise UnreadableError(f"{self.path} cannot be read ({error.strerror})") from None
        except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
            # The cause may quote the file, which holds account ids.
            raise UnreadableError(f"{self.path} does not hold what it should") from error
