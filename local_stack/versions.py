"""The job's code as it was submitted, kept beside its state: what runs can be started again, or gone back to."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from local_stack import secure
from local_stack.settings import CHECKOUT, StackSettings

JOB_ROOMS = ("events", "job")
"""The rooms of `stream_jobs` that the job is made of."""
KEPT = 3


def digest(settings: StackSettings, python: Path, source: Path = CHECKOUT) -> str:
    """A digest of what the job in `source` is made of and told: a change in it means a new submission."""
    told = (
        settings.kafka_servers,
        str(settings.data),
        str(python),
        sys.version,
        settings.job_transaction_timeout_s,
        settings.currency,
        settings.erased_accounts,
        *(secure.environment(settings, "job").values()),
    )
    made = hashlib.sha256(repr(told).encode())
    folder = source / "stream_jobs"
    files = (file for room in JOB_ROOMS for file in (folder / room).rglob("*"))
    for file in sorted(each for each in files if each.suffix in {".py", ".sql"}):
        made.update(str(file.relative_to(folder)).encode() + b"\0" + file.read_bytes())
    return made.hexdigest()


def folder_of(jobs: Path, version: str) -> Path:
    """Where the code of a version lies; `jobs` is the folder of the job's snapshots."""
    return jobs / "versions" / version


def keep(jobs: Path, version: str, source: Path) -> Path:
    """Copy `source`'s job to its place, unless it is there; return the place. Older ones are removed."""
    place = folder_of(jobs, version)
    if not place.exists():
        fresh = place.with_suffix(".new")
        shutil.rmtree(fresh, ignore_errors=True)
        skipped = shutil.ignore_patterns("__pycache__")
        shutil.copytree(source / "stream_jobs", fresh / "stream_jobs", ignore=skipped)
        fresh.replace(place)
    os.utime(place)
    by_age = sorted(place.parent.iterdir(), key=lambda each: each.stat().st_mtime, reverse=True)
    for old in by_age[KEPT:]:
        shutil.rmtree(old, ignore_errors=True)
    return place


@contextmanager
def changing(jobs: Path) -> Iterator[bool]:
    """Hold the right to start and stop the job while the block runs; False if another process has it."""
    jobs.mkdir(parents=True, exist_ok=True)
    lock = os.open(jobs / "changing.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(lock)
