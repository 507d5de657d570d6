"""Changes to the file of API keys: one at a time, whole or not at all, and as readable as it was."""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from stat import S_IMODE

from gateway.access.auth import api_keys
from gateway.access.auth.api_keys import ApiKey, Keys

_ACCESS_LIST = "system.posix_acl_access"

UNREADABLE = ValueError, TypeError, LookupError, AttributeError, RecursionError
"""What reading a file may lead to that holds something else."""

Change = Callable[[Keys], list[ApiKey]]
"""From the keys there are to the keys there shall be."""


def read(path: Path) -> Keys:
    """The keys; none if there is no file yet. Raises `ValueError` for a file of something else."""
    try:
        return api_keys.parse(path.read_bytes())
    except FileNotFoundError:
        return {}
    except UNREADABLE:
        raise ValueError(f"{path} is no keys' file, or one that broke") from None


def change(path: Path, wanted: Change) -> None:
    """Put changed keys in place; another command's change waits."""
    try:
        real = path.resolve()
    except RuntimeError:
        raise ValueError(f"{path} is a link that leads to itself") from None
    real.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with alone(real):
        write_private(real, api_keys.dump(wanted(read(real))))


def write_private(path: Path, content: bytes) -> None:
    """Write a file so that readers see the old content or the new one, never a part.

    A new one has mode 0600. One that is there keeps its owner, group, mode and access list, and the
    links that lead to it; raises `PermissionError` where whoever writes may not give it to its owner.
    """
    real = path.resolve()
    number, name = tempfile.mkstemp(dir=real.parent, prefix=f".{real.name}.")
    try:
        with os.fdopen(number, "wb") as file:
            if real.exists():
                _as_before(real, number)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(real)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _as_before(path: Path, number: int) -> None:
    """Give an open file who may do what with another one."""
    before, now = path.stat(), os.fstat(number)
    if (before.st_uid, before.st_gid) != (now.st_uid, now.st_gid):
        try:
            os.fchown(number, before.st_uid, before.st_gid)
        except PermissionError:
            owner = f"user {before.st_uid} and group {before.st_gid}"
            raise PermissionError(f"{path} is of {owner}: change it as them, or as root") from None
    os.fchmod(number, S_IMODE(before.st_mode))
    try:
        access_list = os.getxattr(path, _ACCESS_LIST)
    except (OSError, AttributeError):
        return  # it has none, or there are none on this system
    os.setxattr(number, _ACCESS_LIST, access_list)


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Have a file for oneself, among those who ask like this."""
    lock = os.open(path.with_name(f".{path.name}.lock"), os.O_CREAT | os.O_RDWR, 0o600)
    try:
        if os.geteuid() == 0:
            # What root makes here must not lock out whoever the folder is of.
            folder = path.parent.stat()
            os.fchown(lock, folder.st_uid, folder.st_gid)
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)
