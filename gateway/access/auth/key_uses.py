"""When each API key was last used: kept in a file beside the keys', which is written now and then, never for a request."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path

from gateway.access.auth import api_keys, key_file
from gateway.process import logs

WRITE_AFTER_S = 5.0
SUFFIX = ".used"
_WRONG = *key_file.UNREADABLE, OverflowError
"""What files that hold something else may lead to, here where numbers are made floats."""


def read(keys: Path) -> dict[str, float]:
    """Epoch seconds by key id, of a keys' file; nothing where nothing can be read."""
    try:
        said = json.loads(keys.with_name(keys.name + SUFFIX).read_bytes())
        return {name: float(at_s) for name, at_s in said.items() if isinstance(at_s, int | float)}
    except (OSError, *_WRONG):
        return {}


def write(keys: Path, seen: Mapping[str, float]) -> None:
    """Put what was seen beside what other processes saw; of keys that are gone nothing is kept.

    Raises `OSError` where there is no keys' file just now, or what its `parse` does if it is broken:
    nobody can tell then which keys are gone.
    """
    path = keys.with_name(keys.name + SUFFIX)
    with key_file.alone(path):
        known = api_keys.parse(keys.read_bytes()).keys()
        uses = read(keys)
        latest = {each: max(uses.get(each, 0.0), seen.get(each, 0.0)) for each in known}
        content = json.dumps({each: at_s for each, at_s in latest.items() if at_s}).encode()
        key_file.write_private(path, content)


class KeyUses:
    """Gathers uses, and has them written by a thread some seconds after the first of them."""

    def __init__(self, keys: Path) -> None:
        self._keys = keys
        self._seen: dict[str, float] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._writing: asyncio.Task[None] | None = None
        self._failing = False

    def saw(self, key_id: str, now_s: float) -> None:
        """A key was looked at and is good."""
        self._seen[key_id] = now_s
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(WRITE_AFTER_S, self._begin)

    async def close(self) -> None:
        """Write what is not written yet."""
        if self._timer is not None:
            self._timer.cancel()
        if self._writing is not None:
            await self._writing
        await self._write()

    def _begin(self) -> None:
        self._timer = None
        self._writing = asyncio.ensure_future(self._write())

    async def _write(self) -> None:
        seen, self._seen = self._seen, {}
        if not seen:
            return
        try:
            await asyncio.to_thread(write, self._keys, seen)
        except (OSError, *_WRONG) as error:
            self._seen = seen | self._seen  # told with the next use
            if not self._failing:
                cause = error.strerror if isinstance(error, OSError) else type(error).__name__
                logs.logger().warning("key_uses_not_written", cause=cause)
            self._failing = True
        else:
            self._failing = False
