"""Changes to the file of API keys: one at a time, whole or not at all, readable by its owner only."""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from gateway.auth import api_keys
from gateway.auth.api_keys import ApiKey, Keys

Change = Callable[[Keys], list[ApiKey]]
"""From the keys there are to the keys there shall be."""


def read(path: Path) -> Keys:
    """The keys; none if there is no file yet. Raises `ValueError` for a file of something else."""
    try:
        return api_keys.parse(path.read_bytes())
    except FileNotFoundError:
        return {}


def change(path: Path, wanted: Change) -> None:
    """Put changed keys in place; another command's change waits."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _alone(path):
        write_private(path, api_keys.dump(wanted(read(path))))


def write_private(path: Path, content: bytes) -> None:
    """Write a file of mode 0600 so that readers see the old content or the new one, never a part."""
    number, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(number, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    lock = os.open(path.with_name(f".{path.name}.lock"), os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)
