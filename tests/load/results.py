"""Where a benchmark's figures and what it needs beside them lie, out of git: each run replaces the one before."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from local_stack.settings import CHECKOUT

FOLDER: Final = CHECKOUT / ".local" / "bench"
LOGS: Final = FOLDER / "log"


def file_of(name: str, case: str = "") -> Path:
    """The figures of a benchmark, or of one of its cases, as JSON."""
    return FOLDER / f"{name}{case and f'-{case}'}.json"
