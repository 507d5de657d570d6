"""Segments of another size for as long as a benchmark runs, so that it meets some being finished."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from local_stack.settings import CHECKOUT, StackSettings
from stream_jobs.progress.pinot_served import HttpPinotServed
from stream_jobs.progress.segments import partition_of

WITHIN_S = 120.0


@contextmanager
def segments_of(
    settings: StackSettings, rows: int | None, *, pauseless: bool = False
) -> Iterator[None]:
    """Every segment of the entries ends at so many rows, None: as the table says; `pauseless`: the next begins before.

    Pinot 0.11 pauses whatever it is told.
    """
    words = ["--overlay", "pauseless"] if pauseless else []
    if rows is not None:
        words += ["--set", f"ACCOUNT_ENTRIES_FLUSH_ROWS={rows * len(_consuming(settings))}"]
    if not words:
        yield
        return
    _apply(settings, *words)
    try:
        _finish_all(settings)
        yield
    finally:
        _apply(settings)


def _finish_all(settings: StackSettings) -> None:
    """Have Pinot begin new segments, since one keeps the size that it began with."""
    before = _consuming(settings)
    url = f"{settings.pinot_controller_url}/tables/account_entries_REALTIME/forceCommit"
    httpx.post(url, timeout=30, trust_env=False).raise_for_status()
    deadline = time.monotonic() + WITHIN_S
    while len(now := _consuming(settings)) != len(before) or set(now.values()) & set(
        before.values()
    ):
        if time.monotonic() > deadline:
            raise TimeoutError(f"Pinot still fills {before}")
        time.sleep(0.5)


def _consuming(settings: StackSettings) -> dict[int, str]:
    served = HttpPinotServed(settings.pinot_controller_url, settings.pinot_broker_url)
    segments: dict[int, str] = {}
    for each in served.consuming("account_entries"):
        if each.server_offsets:
            segments[partition_of(each.name)] = each.name
    return segments


def _apply(settings: StackSettings, *words: str) -> None:
    command = [sys.executable, "-P", "-m", "pinot_config.apply"]
    command += ["--controller", settings.pinot_controller_url, "--kafka", settings.kafka_servers]
    subprocess.run([*command, *words], cwd=CHECKOUT, check=True, stdout=subprocess.DEVNULL)
