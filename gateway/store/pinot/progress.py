"""How far the pipeline has come, and whether Pinot still serves everything up to there.

The progress tracker proves that everything before `as_of_ms` was queryable, and how many rows Pinot
then served of each class of accounts, which is mostly a kafka partition. A Pinot server that starts
again serves fewer for a while: an answer from fewer rows is refused. One class can be told from an
answer's `totalDocs`, as the broker prunes by it; several together cannot, since one that is ahead
would hide another that is behind, so each is probed on its own. Nor do rows tell anything while one
replica still fills a segment and another the next, so an answer that reads two such is refused,
unless it was proven just now that the first is filled to its end wherever it is.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from math import inf
from typing import Final

from gateway.errors import StoreUnavailableError
from gateway.process.clock import Monotonic
from gateway.store.pinot import response, sql
from gateway.store.pinot.client import PinotClient
from gateway.store.pinot.partition import partition_of, some_account_in
from gateway.store.pinot.response import BrokerAnswer

HANDED_OVER_S: Final = 5.0
"""What a proof says of segments in memory holds for so long after it was seen, if no longer before it was not there yet:
then it is at most twice as old, and no segment is filled in less time."""


@dataclass(frozen=True, slots=True)
class Progress:
    """Everything before `as_of_ms` is queryable if Pinot serves this many rows.

    `entry_docs`: rows of entries, by class of accounts. `shared_docs`: those that several classes count.
    `rejected_docs`: rows of rejected events. `erasures`: see `StoreResult`. `recorded_at_ms` rises from one to the next.
    `in_memory`: how many segments of each class an answer may read in memory; empty: one each.
    """

    as_of_ms: int
    entry_docs: tuple[int, ...]
    shared_docs: int
    rejected_docs: int
    erasures: int = 0
    recorded_at_ms: int = 0
    in_memory: tuple[int, ...] = ()

    def partitions_of(self, account_ids: Iterable[str] | None) -> frozenset[int]:
        """The classes of these accounts, by their place in `entry_docs`; `None`: all."""
        partitions = len(self.entry_docs)
        if account_ids is None:
            return frozenset(range(partitions))
        return frozenset(partition_of(each, partitions) for each in account_ids)

    def check(self, answer: BrokerAnswer, partitions: frozenset[int]) -> None:
        """Raise `StoreUnavailableError` if an answer about these classes may lack rows from before `as_of_ms`."""
        expected = sum(self.entry_docs[each] for each in partitions)
        check_rows(answer.total_docs, expected - self.shared_docs * (len(partitions) > 1))
        in_memory = dict(enumerate(self.in_memory))
        if answer.consuming > sum(in_memory.get(each, 1) for each in partitions):
            raise StoreUnavailableError("Pinot hands a segment over, and not all of it is there")


class ProgressReader:
    """The newest progress and the partitions' sizes, each look shared for a short time."""

    def __init__(self, client: PinotClient, ttl_s: float, monotonic: Monotonic) -> None:
        self._client = client
        self._ttl_s = ttl_s
        self._monotonic = monotonic
        self._newest: tuple[float, asyncio.Task[Progress]] | None = None
        self._seen: Progress | None = None
        self._seen_s = self._looked_s = -inf
        self._probes: dict[int, tuple[float, asyncio.Task[BrokerAnswer]]] = {}

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
        answers = await asyncio.gather(
            *(self._probed(each, len(progress.entry_docs), timeout_s) for each in partitions)
        )
        for partition, answer in zip(partitions, answers, strict=True):
            progress.check(answer, frozenset({partition}))

    async def _probed(self, partition: int, partitions: int, timeout_s: float) -> BrokerAnswer:
        known = self._probes.get(partition)
        if known is None or self._is_stale(*known):
            task = asyncio.ensure_future(self._probe(partition, partitions, timeout_s))
            known = self._probes[partition] = (self._monotonic(), task)
        return await asyncio.shield(known[1])

    async def _probe(self, partition: int, partitions: int, timeout_s: float) -> BrokerAnswer:
        statement = sql.probe(some_account_in(partition, partitions))
        return await self._client.run(statement, timeout_s)

    async def _read(self, timeout_s: float) -> Progress:
        answer = await self._client.run(sql.PROGRESS, timeout_s)
        if not answer.rows:
            raise StoreUnavailableError("the pipeline has made no progress yet")
        (
            as_of_ms,
            entry_docs,
            shared_docs,
            rejected_docs,
            erasures,
            recorded_at_ms,
            in_memory,
        ) = answer.rows[0]
        read = Progress(
            response.whole(as_of_ms),
            _whole_numbers(response.text(entry_docs)),
            response.whole(shared_docs),
            response.whole(rejected_docs),
            response.whole(erasures),
            response.whole(recorded_at_ms),
            _whole_numbers(told) if (told := response.text(in_memory)) else (),
        )
        # Of several replicas one may be behind: what it tells later is older, and takes nothing back.
        now_s = self._monotonic()
        if self._seen is None or read.recorded_at_ms > self._seen.recorded_at_ms:
            was_looked_for = now_s - self._looked_s <= HANDED_OVER_S
            self._seen, self._seen_s = read, now_s if was_looked_for else -inf
        self._looked_s = now_s
        if now_s - self._seen_s > HANDED_OVER_S:
            return replace(self._seen, in_memory=())
        return self._seen

    def _is_stale(self, since_s: float, task: asyncio.Task[object]) -> bool:
        failed = task.done() and (task.cancelled() or task.exception() is not None)
        return failed or self._monotonic() - since_s > self._ttl_s


def check_rows(rows: int, expected: int) -> None:
    """Raise `StoreUnavailableError` if Pinot serves fewer rows than the progress stands for."""
    if rows < expected:
        raise StoreUnavailableError(f"Pinot serves {rows} rows of {expected}: it has not caught up")


def _whole_numbers(text: str) -> tuple[int, ...]:
    try:
        docs = json.loads(text)
    except ValueError:
        docs = None
    if not isinstance(docs, list) or not docs or not all(type(each) is int for each in docs):
        raise StoreUnavailableError("the progress row has no list of whole numbers")
    return tuple(docs)
