"""A database server on a loopback port, started for the benchmark and ended with it."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import psutil

from tests.load.stores.engine import AbsentError


def find_program(name: str, folders: Sequence[str], package: str) -> str:
    """The path of a server's program; raises `AbsentError` with the command that installs it."""
    for folder in folders:
        for found in sorted(Path("/").glob(folder), reverse=True):
            if (found / name).is_file():
                return str(found / name)
    path = shutil.which(name)
    if path is None:
        raise AbsentError(
            f"{name} is not installed: apt-get install -y --no-install-recommends {package}"
        )
    return path


def unprivileged_user() -> str | None:
    """A user to run a server as that refuses root; `None` where we are not root."""
    if os.geteuid():
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def family(process: subprocess.Popen[bytes]) -> list[int]:
    """A server's process and its children."""
    parent = psutil.Process(process.pid)
    return [parent.pid, *(child.pid for child in parent.children(recursive=True))]
