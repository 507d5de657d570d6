"""A question to Pinot as the gateway's store asks it, with star-trees and without, and what that takes."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from gateway.analytics.query_plan import QueryPlan, SlotsPlan, TopPlan, TotalsPlan
from gateway.store.pinot import sql
from gateway.store.pinot.clauses import Part, hours_in
from gateway.store.pinot.client import PinotClient
from gateway.store.pinot.remembered import RememberedRankings
from gateway.store.pinot.response import BrokerAnswer
from gateway.store.pinot.rows import merge, rows_of
from gateway.store.pinot.top import fetch_top

NO_STAR_TREE: dict[str, str | int] = {"useStarTree": "false"}
IN_PARTS = "in parts"
"""An account's window on no round hour as the network's are asked: whole hours and two edges. The gateway does not."""
WITHIN_S = 900.0
FULL_RANKING_THRESHOLD = 5_000_000
TURN_S = 1.0
MOST_IN_A_TURN = 50
SLOW_S = 5.0
"""What takes longer is asked once more, not once a turn."""

CpuSeconds = Callable[[], Mapping[str, float]]


@dataclass(frozen=True, slots=True)
class Answer:
    """A plan's rows, what was read for them, and how long that took."""

    rows: list[Any]
    docs_scanned: int
    statements: int
    took_s: float


@dataclass(frozen=True, slots=True)
class Asker:
    """Asks; `idle` is how many cores broker and server take while nobody does."""

    client: PinotClient
    cpu_s: CpuSeconds
    idle: Mapping[str, float]

    async def answer(self, plan: QueryPlan[Any], way: str) -> Answer:
        """One answer, whole or an error; of a ranking as if nobody had asked before."""
        began_s, asked = time.perf_counter(), list[BrokerAnswer]()
        more = NO_STAR_TREE if way == "without" else {}

        async def ask(statement: str, options: dict[str, str | int]) -> BrokerAnswer:
            asked.append(await self.client.run(statement, WITHIN_S, options | more))
            return asked[-1]

        if isinstance(plan, TopPlan):
            memory, now_ms = RememberedRankings().after(0), int(time.time() * 1000)
            top = await fetch_top(plan, ask, FULL_RANKING_THRESHOLD, memory, now_ms)
            if top.inexact is not None:
                raise AssertionError(top.inexact)
            rows: tuple[Any, ...] = top.rows
        else:
            parts = (Part.HOURS, Part.BEFORE, Part.AFTER) if way == IN_PARTS else sql.parts(plan)
            statements = [sql.statement(plan, part) for part in parts]
            answers = await asyncio.gather(*(ask(each, {}) for each in statements))
            rows = merge(plan, [rows_of(plan, each.rows) for each in answers])
        told = (
            sorted(rows, key=lambda row: row.direction.value)
            if isinstance(plan, TotalsPlan)
            else rows
        )
        scanned, took_s = sum(each.docs_scanned for each in asked), time.perf_counter() - began_s
        return Answer(list(told), scanned, len(asked), took_s)

    async def checked(self, plan: QueryPlan[Any], expected: list[Any]) -> dict[str, Answer]:
        """The first answer of each way; raises AssertionError if one is not what is expected."""
        answers = {way: await self.answer(plan, way) for way in ways_of(plan)}
        for way, answer in answers.items():
            if answer.rows != expected:
                raise AssertionError(f"{way} star-trees: {plan}: {answer.rows} is not {expected}")
        return answers

    async def side_by_side(
        self, plan: QueryPlan[Any], first: Mapping[str, Answer], turns: int
    ) -> dict[str, dict[str, Any]]:
        """What each way takes, in turns, after its first answer."""
        taken = {way: _Taken([], []) for way in first}
        for turn in range(turns):
            for way, answer in first.items():
                if turn == 0 or answer.took_s < SLOW_S:
                    times = max(1, min(MOST_IN_A_TURN, int(TURN_S / answer.took_s)))
                    await self._turn(plan, way, times, taken[way])
        return {
            way: {
                "docs_scanned": answer.docs_scanned,
                "statements": answer.statements,
                **taken[way].told(),
            }
            for way, answer in first.items()
        }

    async def _turn(self, plan: QueryPlan[Any], way: str, times: int, taken: _Taken) -> None:
        before, began_s = self.cpu_s(), time.perf_counter()
        for _ in range(times):
            asked_s = time.perf_counter()
            await self.answer(plan, way)
            taken.wall_ms.append((time.perf_counter() - asked_s) * 1000)
        after, wall_s = self.cpu_s(), time.perf_counter() - began_s
        taken.cpu_ms.append(
            {
                part: max(0.0, after[part] - before[part] - self.idle[part] * wall_s) / times * 1000
                for part in after
            }
        )


def ways_of(plan: QueryPlan[Any]) -> tuple[str, ...]:
    """In which ways it is asked; in parts where that may help, and the gateway does not."""
    ragged = isinstance(plan, TotalsPlan | SlotsPlan) and hours_in(plan.interval) != plan.interval
    if ragged and sql.parts(plan) == (Part.WHOLE,):
        return "with", "without", IN_PARTS
    return "with", "without"


@dataclass(frozen=True, slots=True)
class _Taken:
    wall_ms: list[float]
    cpu_ms: list[dict[str, float]]

    def told(self) -> dict[str, float]:
        """The turn that took least CPU, as other work makes any dearer."""
        least = min(self.cpu_ms, key=lambda each: sum(each.values()))
        return {
            "p50_ms": round(statistics.median(self.wall_ms), 2),
            **{f"{part}_cpu_ms": round(each, 2) for part, each in least.items()},
        }


def idle_cores(cpu_s: CpuSeconds, seconds: float) -> dict[str, float]:
    """Cores that broker and server take while nobody asks."""
    before, began_s = cpu_s(), time.perf_counter()
    time.sleep(seconds)
    after, wall_s = cpu_s(), time.perf_counter() - began_s
    return {part: round((after[part] - before[part]) / wall_s, 4) for part in after}
