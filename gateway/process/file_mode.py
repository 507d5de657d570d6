"""What a file's mode says of who could change what is trusted, or read what is secret."""

from __future__ import annotations

import os
from stat import S_IMODE, S_IROTH, S_ISREG, S_IWGRP, S_IWOTH


def refusal(status: os.stat_result) -> str | None:
    """Why nobody can trust the file: whoever is on the machine may write what it says."""
    if S_ISREG(status.st_mode) and status.st_mode & S_IWOTH:
        return f"may be written by everybody (mode {_octal(status)}): chmod o-w"
    return None


def concern(status: os.stat_result, *, secret: bool) -> str | None:
    """What is to be warned of: its group may write it, or everybody may read a secret."""
    if status.st_mode & S_IWGRP:
        return f"may be written by its group (mode {_octal(status)}): chmod g-w"
    if secret and status.st_mode & S_IROTH:
        return f"may be read by everybody (mode {_octal(status)}): chmod o-rwx"
    return None


def _octal(status: os.stat_result) -> str:
    return f"{S_IMODE(status.st_mode):04o}"
