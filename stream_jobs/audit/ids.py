"""What has counted, by id: sorted runs of 16 bytes an id on disk, merged as they grow, dropped as they age.

Offsets cannot tell that two raw records of one id both counted, or that one was called a duplicate of nothing. A look
here is exact where it says no; where it says yes, 61 bits were equal, and whoever asks looks in Pinot behind it.
Memory holds one run that is not yet full; the rest is read through the page cache.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

RUN_IDS: Final = 65_536
MERGED_AT_ONCE: Final = 8
# Runs of more ids, or that span more than a day, are left as they are: they age out whole.
MAX_RUN_IDS: Final = 2**26
MAX_SPAN_MS: Final = 86_400_000
_SLICES: Final = 256
_PRIME: Final = 2**61 - 1
_PAIR: Final = np.dtype([("key", "<u8"), ("content", "<i8")])
Pairs = NDArray[np.void]


def key_of(what: str, transaction_id: str) -> int:
    """The key of one thing that can be known of an id; a Mersenne prime scatters ids that count upwards."""
    return (int(transaction_id.replace("-", ""), 16) * 31 + ord(what)) % _PRIME


@dataclass(frozen=True, slots=True)
class _Run:
    path: Path
    pairs: Pairs
    oldest_ms: int
    newest_ms: int

    @property
    def level(self) -> int:
        """How often it was merged: its size in powers of `MERGED_AT_ONCE`."""
        level, size = 0, len(self.pairs) // RUN_IDS
        while size >= MERGED_AT_ONCE:
            level, size = level + 1, size // MERGED_AT_ONCE
        return level


class Ids:
    """Keys with 64 bits of content each; of equal keys any one may be found."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._fresh: dict[int, int] = {}
        self._fresh_ms: tuple[int, int] | None = None
        self._log = (folder / "fresh.log").open("a+b", buffering=0)
        self._runs = [_opened(path) for path in sorted(folder.glob("*.ids"))]
        for leftover in folder.glob("*.new"):
            leftover.unlink()
        self._take_log()

    def __len__(self) -> int:
        return len(self._fresh) + sum(len(run.pairs) for run in self._runs)

    @property
    def size_bytes(self) -> int:
        """What the runs take on disk."""
        return sum(run.pairs.nbytes for run in self._runs)

    def find(self, keys: Sequence[int]) -> dict[int, int]:
        """The content of those keys that are known."""
        found = {key: self._fresh[key] for key in keys if key in self._fresh}
        if not self._runs or not keys:
            return found
        wanted = np.unique(np.array(keys, dtype="<u8"))
        for run in self._runs:
            at = np.searchsorted(run.pairs["key"], wanted)
            at[at == len(run.pairs)] = 0
            hits = run.pairs["key"][at] == wanted
            for key, content in zip(
                wanted[hits].tolist(), run.pairs["content"][at[hits]].tolist(), strict=True
            ):
                found.setdefault(key, content)
        return found

    def add(self, known: Mapping[int, int], now_ms: int) -> None:
        """Remember keys with their contents, as of now."""
        self._fresh.update(known)
        self._log.write(np.fromiter(known.items(), dtype=_PAIR, count=len(known)).tobytes())
        oldest_ms = now_ms if self._fresh_ms is None else self._fresh_ms[0]
        self._fresh_ms = oldest_ms, now_ms
        if len(self._fresh) >= RUN_IDS:
            self.flush()
            self._merge()

    def flush(self) -> None:
        """Make a run of what is in memory and in the log."""
        if not self._fresh or self._fresh_ms is None:
            return
        pairs = np.fromiter(self._fresh.items(), dtype=_PAIR, count=len(self._fresh))
        pairs.sort(order="key")
        self._runs.append(self._written([pairs], *self._fresh_ms))
        self._fresh, self._fresh_ms = {}, None
        self._log.truncate(0)

    def close(self) -> None:
        """Close the log."""
        self._log.close()

    def _take_log(self) -> None:
        """What was added since the last run, whole pairs only: a crash may have cut the last one."""
        self._log.seek(0)
        written = self._log.read()
        whole = len(written) // _PAIR.itemsize * _PAIR.itemsize
        self._log.truncate(whole)
        pairs = np.frombuffer(written[:whole], dtype=_PAIR)
        if len(pairs):
            self._fresh = dict(zip(pairs["key"].tolist(), pairs["content"].tolist(), strict=True))
            changed_ms = round((self._folder / "fresh.log").stat().st_mtime * 1000)
            self._fresh_ms = changed_ms, changed_ms

    def forget_before(self, instant_ms: int) -> None:
        """Drop the runs whose every id was added before."""
        for run in self._runs:
            if run.newest_ms < instant_ms:
                run.path.unlink()
        self._runs = [run for run in self._runs if run.newest_ms >= instant_ms]

    def _merge(self) -> None:
        while group := self._mergeable():
            merged = self._written(
                _by_slices([run.pairs for run in group]),
                min(run.oldest_ms for run in group),
                max(run.newest_ms for run in group),
            )
            self._runs = [run for run in self._runs if run not in group] + [merged]
            for run in group:
                run.path.unlink()

    def _mergeable(self) -> list[_Run]:
        for level in range(8):
            group = [run for run in self._runs if run.level == level][:MERGED_AT_ONCE]
            if len(group) < MERGED_AT_ONCE:
                continue
            span_ms = max(run.newest_ms for run in group) - min(run.oldest_ms for run in group)
            if span_ms <= MAX_SPAN_MS and sum(len(run.pairs) for run in group) <= MAX_RUN_IDS:
                return group
        return []

    def _written(self, parts: Iterable[Pairs], oldest_ms: int, newest_ms: int) -> _Run:
        numbers = [int(run.path.stem.split("_")[0]) for run in self._runs]
        name = f"{max(numbers, default=0) + 1:012d}_{oldest_ms}_{newest_ms}"
        fresh = self._folder / f"{name}.new"
        with fresh.open("wb") as file:
            for part in parts:
                file.write(part.tobytes())
        return _opened(fresh.rename(self._folder / f"{name}.ids"))


def _opened(path: Path) -> _Run:
    _, oldest_ms, newest_ms = path.stem.split("_")
    pairs = np.memmap(path, dtype=_PAIR, mode="r")
    return _Run(path, pairs, int(oldest_ms), int(newest_ms))


def _by_slices(runs: Sequence[Pairs]) -> Iterable[Pairs]:
    """Sorted runs as one, a slice of the keys at a time, so that no merge needs the memory of the whole."""
    edges = [number * (_PRIME // _SLICES + 1) for number in range(_SLICES + 1)]
    cuts = [np.searchsorted(run["key"], np.array(edges, dtype="<u8")) for run in runs]
    for number in range(_SLICES):
        pieces = [run[cut[number] : cut[number + 1]] for run, cut in zip(runs, cuts, strict=True)]
        slice_ = np.concatenate(pieces)
        slice_.sort(order="key")
        yield slice_
