"""The audit log: a line of each request, written beside the event loop, to a file that may be rotated.

Whoever asks never waits for it. What a disk does not take in time is dropped, counted, and told in
the log itself as soon as it takes lines again.
"""

from __future__ import annotations

import errno
import os
import queue
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gateway.process import logs
from gateway.process.logs import Stamps, as_line

STREAMS = {"stdout": 1, "stderr": 2}
MOST_WAITING = 20_000
"""Lines that wait to be written, about 10 MB; more are dropped."""

MOST_AT_ONCE = 500
MOST_STREAM_BYTES = 4_096 - 256
"""Of lines that go to a stream at once: with a line that tells of a gap, no more than a pipe takes whole."""

CLOSE_WITHIN_S = 5.0
MODE = 0o600


def require_writable(target: str) -> None:
    """Raises `OSError` if a log to `target` could not be written; makes no file, and keeps none open."""
    if target in STREAMS:
        return
    path = Path(target)
    try:
        path.stat()
    except FileNotFoundError:
        path.parent.stat()
        if not os.access(path.parent, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES)) from None
    else:
        os.close(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC))


class AuditLog:
    """Appends to `target`: a file, or `stdout` or `stderr`; raises `OSError` if that cannot be opened.

    A file that was renamed or removed is made anew, so it can be rotated without telling anybody.
    Whole lines are appended at once, so that several processes may write to one file, or to one pipe if
    no line is longer than `MOST_STREAM_BYTES`.
    """

    def __init__(self, target: str) -> None:
        self._path = None if target in STREAMS else Path(target)
        self._number = STREAMS.get(target, -1)
        self._dropped = 0
        """Lines for which there was no room; this, only the event loop counts."""
        self._failed = 0
        self._told = 0
        """Lines that could not be written, and of all that were lost those that were told of: the thread's."""
        self._failing = False
        self._torn = False
        """Whether what was written last ends within a line."""
        self._stamps = Stamps()
        self._lines: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._writer: threading.Thread | None = None
        if self._path is not None:
            self._reopen(self._path)

    @property
    def lost(self) -> int:
        """Lines that were dropped, or could not be written."""
        return self._dropped + self._failed

    def write(self, told: Mapping[str, Any]) -> None:
        """Add a line of these facts."""
        stamp = self._stamps.text(time.time())
        self._put(as_line({**told, "event": "audit", "time": stamp}))

    def write_ready(self, facts: bytes) -> None:
        """The same for facts that are JSON already, but for the braces around them."""
        stamp = self._stamps.text(time.time()).encode()
        self._put(b'{%s,"event":"audit","time":"%s"}' % (facts, stamp))

    def close(self) -> None:
        """Write what waits, for a few seconds at most."""
        if self._writer is not None:
            self._lines.put(None)
            self._writer.join(CLOSE_WITHIN_S)

    def _put(self, line: bytes) -> None:
        if self._writer is None:
            self._writer = threading.Thread(target=self._write_all, name="audit", daemon=True)
            self._writer.start()
        if self._lines.qsize() >= MOST_WAITING:
            self._dropped += 1
        else:
            self._lines.put(line + b"\n")

    def _write_all(self) -> None:
        ends = False
        while not ends:
            lines = [self._lines.get()]
            while len(lines) < MOST_AT_ONCE and not self._lines.empty():
                lines.append(self._lines.get())
            ends = None in lines
            told = [line for line in lines if line is not None]
            for group in self._groups(told):
                self._append(group)

    def _groups(self, lines: list[bytes]) -> list[list[bytes]]:
        """The lines that are written at once: all to a file, but to a stream what a pipe takes whole."""
        if self._path is not None:
            return [lines] if lines else []
        groups: list[list[bytes]] = []
        room = 0
        for line in lines:
            room -= len(line)
            if room < 0 or not groups:
                groups.append([])
                room = MOST_STREAM_BYTES - len(line)
            groups[-1].append(line)
        return groups

    def _append(self, lines: list[bytes]) -> None:
        untold = self.lost - self._told
        gap = {"event": "lines_lost", "lines": untold, "time": Stamps().text(time.time())}
        try:
            if self._path is not None and not self._is_current(self._path):
                self._reopen(self._path)
            told = [as_line(gap) + b"\n"] * bool(untold)
            _write(self._number, b"".join([b"\n"] * self._torn + told + lines))
        except OSError as error:
            if isinstance(error, _PartlyWrittenError):
                self._torn = error.torn
            self._failed += len(lines)
            if not self._failing:
                logs.logger().error("audit_log_failed", cause=error.strerror)
            self._failing = True
        else:
            self._told += untold
            self._failing = self._torn = False

    def _is_current(self, path: Path) -> bool:
        """Whether the open file is still the one of that name."""
        try:
            named = path.stat()
        except FileNotFoundError:
            return False
        opened = os.fstat(self._number)
        return (named.st_dev, named.st_ino) == (opened.st_dev, opened.st_ino)

    def _reopen(self, path: Path) -> None:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        number, before = os.open(path, flags, MODE), self._number
        self._number, self._torn = number, False
        if before >= 0:
            os.close(before)


class _PartlyWrittenError(OSError):
    """No more could be written; `torn`: what was ends within a line."""

    torn = False


def _write(number: int, content: bytes) -> None:
    """All of it: a pipe, for one, may take a part at a time."""
    done = 0
    while done < len(content):
        try:
            done += os.write(number, memoryview(content)[done:])
        except OSError as error:
            if not done:
                raise
            partly = _PartlyWrittenError(error.errno, error.strerror)
            partly.torn = content[done - 1 : done] != b"\n"
            raise partly from error
