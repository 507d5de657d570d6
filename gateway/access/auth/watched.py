"""Files that others change while the gateway runs: read again within a second of each change.

They are read in a thread beside the event loop, and all that changed takes effect together. What
cannot be read again goes on meaning what it said last, and that is told until it can.
"""

from __future__ import annotations

import asyncio
import math
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeVar

from gateway.access.auth.key_file import UNREADABLE
from gateway.process import file_mode, logs
from gateway.process.clock import Monotonic

LOOK_EVERY_S = 1.0
LOOK_WITHIN_S = 1.0
"""For how long a look is waited for: a folder that does not answer holds nobody up for longer."""

Content = TypeVar("Content")
Signature = tuple[int, int, int, int]


class UnreadableError(ValueError):
    """The file is not there, or not what it should be; the message says what is wrong."""


class Found(NamedTuple, Generic[Content]):
    """What one look found: content, or why there is none; `seen` tells that state of the file from others."""

    seen: Signature | None
    content: Content | None
    wrong: str | None
    concern: str | None


@dataclass(slots=True)
class WatchedFile(Generic[Content]):
    """A file's content as it was when it could last be read.

    `name`: of its setting, which logs and metrics know it by; `secret`: whoever may read it is told of.
    `wrong`: why what it says now cannot be used; `None` if it can.
    """

    path: Path
    parse: Callable[[bytes], Content]
    name: str = ""
    secret: bool = False
    content: Content = field(init=False)
    wrong: str | None = field(init=False, default=None)
    _seen: Signature | None = field(init=False, default=None)
    _concern: str | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        """Read the file for the first time; raises `UnreadableError`."""
        found = self._read(self._signature())
        if found.content is None:
            raise UnreadableError(found.wrong)
        self.content, self._seen, self._concern = found.content, found.seen, found.concern

    def is_stale(self) -> bool:
        """Whether what the file says now cannot be used, and what it said before holds."""
        return self.wrong is not None

    def changed_s(self) -> float:
        """Epoch seconds of the file's last change, as far as was seen; not a number while it is gone."""
        return math.nan if self._seen is None else self._seen[0] / 1e9

    def find(self) -> Found[Content] | None:
        """Read the file if it changed, or could not be read before; changes nothing here."""
        now = self._signature()
        return None if now == self._seen and self.wrong is None else self._read(now)

    def take(self, found: Found[Content] | None) -> bool:
        """Let what was found take effect; whether that is content."""
        if found is None:
            return False
        self._seen = found.seen
        if found.content is None:
            self.mark(str(found.wrong))
            return False
        if self.wrong is not None:
            self.wrong = None
            logs.logger().info("auth_file_readable", file=self.name)
        if found.concern != self._concern:
            self._concern = found.concern
            self.warn()
        self.content = found.content
        return True

    def mark(self, wrong: str) -> None:
        """What it said last holds until it can be read again; told once for each cause."""
        if wrong != self.wrong:
            logs.logger().error("auth_file_unreadable", file=self.name, cause=wrong)
        self.wrong = wrong

    def warn(self) -> None:
        """Tell of a mode that lets too many read or write it."""
        if self._concern is not None:
            logs.logger().warning("auth_file_mode", file=self.name, cause=self._concern)

    def _signature(self) -> Signature | None:
        try:
            return _signature(self.path.stat())
        except OSError:
            return None

    def _read(self, seen: Signature | None) -> Found[Content]:
        try:
            with self.path.open("rb") as file:
                status = os.fstat(file.fileno())
                seen = _signature(status)
                refusal = file_mode.refusal(status)
                if refusal is not None:
                    return Found(seen, None, f"{self.path} {refusal}", None)
                content = self.parse(file.read())
        except OSError as error:
            return Found(seen, None, f"{self.path} cannot be read ({error.strerror})", None)
        except UNREADABLE:
            # The cause may quote the file, which holds account ids.
            return Found(seen, None, f"{self.path} does not hold what it should", None)
        return Found(seen, content, None, file_mode.concern(status, secret=self.secret))


class Watch:
    """Files that are looked at together; `version` grows when something in them changed."""

    def __init__(self, files: Sequence[WatchedFile[Any]], monotonic: Monotonic) -> None:
        self.files = files
        self.version = 0
        self._monotonic = monotonic
        self._looked_s = float("-inf")
        self._begun = 0
        self._late = False
        self._alone = asyncio.Lock()
        self._finding: asyncio.Future[list[Found[Any] | None]] | None = None

    @property
    def is_due(self) -> bool:
        """Whether the last look is too old to be believed."""
        return bool(self.files) and self._monotonic() - self._looked_s >= LOOK_EVERY_S

    async def look_if_due(self) -> None:
        """Look at all files unless somebody just did; waits for whoever is looking."""
        if not self.is_due:
            return
        async with self._alone:
            if self.is_due:
                await self._look()

    async def look(self) -> None:
        """Look at all files again; who asks while others are looking shares the one look that comes next."""
        asked = self._begun
        async with self._alone:
            if self._begun == asked and self.files:
                await self._look()

    async def _look(self) -> None:
        self._begun += 1
        began_s = self._monotonic()
        # One that did not end in time goes on, but nobody waits for it: each would hold another thread.
        finding = self._finding or asyncio.ensure_future(asyncio.to_thread(self._find))
        self._finding = finding
        await asyncio.wait({finding}, timeout=0 if self._late else LOOK_WITHIN_S)
        self._late = not finding.done()
        if self._late:
            self._looked_s = self._monotonic()
            for file in self.files:
                file.mark(f"{file.path} is not read within {LOOK_WITHIN_S:.0f} s")
            return
        self._finding, self._looked_s = None, began_s
        changed = [file.take(each) for file, each in zip(self.files, finding.result(), strict=True)]
        self.version += any(changed)

    def _find(self) -> list[Found[Any] | None]:
        return [file.find() for file in self.files]


def _signature(status: os.stat_result) -> Signature:
    return status.st_mtime_ns, status.st_size, status.st_ino, status.st_mode
