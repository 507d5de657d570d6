"""How far the pipeline has come, and whether Pinot still serves everything up to there.

The progress tracker proves that everything before `as_of_ms` was queryable, and how many rows Pinot
then served of each kafka partition. A Pinot server that starts again serves fewer for a while: an
answer from fewer rows is refused. One partition can be told from an answer's `totalDocs`, as the
broker prunes by partition; several together cannot, since one that is ahead would hide another that
is behind, so each is probed on its own.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from dataclasses import dataclass

from gateway.clock import Monotonic
from gateway.errors import StoreUnavailableError
from gateway.pinot import response, sql
from gateway.pinot.client import PinotClient
from gateway.pinot.partition import partition_of, some_account_in


@dataclass(frozen=True, slots=True)
class Progress:
    """Everything before `as_of_ms` is queryable if Pinot serves this many rows.

    `entry_docs`: rows of entries, by kafka partition. `rejected_docs`: rows of rejected events.
    """

    as_of_ms: int
    entry_docs: tuple[int, ...]
    rejected_docs: int

    def partitions_of(self, account_ids: Iterable[str] | None) -> frozenset[int]:
        """The partitions that hold these accounts; `None`: all."""
        partitions = len(self.entry_docs)
        if account_ids is None:
            return frozenset(range(partitions))
        return frozenset(partition_of(each, partitions) for each in account_ids)

    def rows_in(self, partitions: Iterable[int]) -> int:
        """How many rows Pinot must serve of these partitions at least."""
        return sum(self.entry_docs[each] for each in partitions)


class ProgressReader:
    """The newest progress and the partitions' sizes, each look shared for a short time."""

    def __init__(self, client: PinotClient, ttl_s: float, monotonic: Monotonic) -> None:
        self._client = client
        self._ttl_s = ttl_s
        self._monotonic = monotonic
        self._newest: tuple[float, asyncio.Task[Progress]] | None = None
        self._served: dict[int, tuple[float, asyncio.Task[int]]] = {}

    async def newest(self, timeout_s: float) -> Progress:
        """The progress that was newest at most the time-to-live ago."""
        if self._newest is None or self._is_stale(*self._newest):
            task = asyncio.ensure_future(self._read(timeout_s))
            self._newest = (self._monotonic(), task)
        return await asyncio.shield(self._newest[1])

    async def check_partitions(
        self, progress: Progress, partitions: frozenset[int], timeout_s: float
    ) -> None:
        """Raise `StoreUnavailableError` if Pinot serves too few rows of any of these partitions."""
        served = await asyncio.gather(
            *(self._rows_served(each, len(progress.entry_docs), timeout_s) for each in partitions)
        )
        for partition, rows in zip(partitions, served, strict=True):
            check_rows(rows, progress.rows_in({partition}))

    async def _rows_served(self, partition: int, partitions: int, timeout_s: float) -> int:
        known = self._served.get(partition)
        if known is None or self._is_stale(*known):
            task = asyncio.ensure_future(self._probe(partition, partitions, timeout_s))
            known = self._served[partition] = (self._monotonic(), task)
        return await asyncio.shield(known[1])

    async def _probe(self, partition: int, partitions: int, timeout_s: float) -> int:
        statement = sql.probe(some_account_in(partition, partitions))
        return (await self._client.run(statement, timeout_s)).total_docs

    async def _read(self, timeout_s: float) -> Progress:
        answer = await self._client.run(sql.PROGRESS, timeout_s)
        if not answer.rows:
            raise StoreUnavailableError("the pipeline has made no progress yet")
        as_of_ms, entry_docs, rejected_docs = answer.rows[0]
        return Progress(
            response.whole(as_of_ms),
            _entry_docs(response.text(entry_docs)),
            response.whole(rejected_docs),
        )

    def _is_stale(self, since_s: float, task: asyncio.Task[object]) -> bool:
        failed = task.done() and (task.cancelled() or task.exception() is not None)
        return failed or self._monotonic() - since_s > self._ttl_s


def check_rows(rows: int, expected: int) -> None:
    """Raise `StoreUnavailableError` if Pinot serves fewer rows than the progress stands for."""
    if rows < expected:
        raise StoreUnavailableError(f"Pinot serves {rows} rows of {expected}: it has not caught up")


def _entry_docs(text: str) -> tuple[int, ...]:
    try:
        docs = json.loads(text)
    except ValueError:
        docs = None
    if not isinstance(docs, list) or not docs or not all(type(each) is int for each in docs):
        raise StoreUnavailableError("the progress row has no list of row counts")
    return tuple(docs)
