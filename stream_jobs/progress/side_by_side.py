"""Calls that wait for others, made at the same time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol, TypeVar

THREADS = 32

Answer = TypeVar("Answer")


class SideBySide(Protocol):
    """Makes all calls and returns their answers in order; raises what the first of them raised."""

    def __call__(self, calls: Sequence[Callable[[], Answer]]) -> list[Answer]: ...


def in_threads(threads: int = THREADS) -> SideBySide:
    """A `SideBySide` that makes as many calls at a time as it has threads."""
    pool = ThreadPoolExecutor(threads, thread_name_prefix="ask")

    def all_of(calls: Sequence[Callable[[], Answer]]) -> list[Answer]:
        return [future.result() for future in [pool.submit(call) for call in calls]]

    return all_of
