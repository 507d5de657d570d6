"""The audit judged: corruptions of every kind planted, found or not; and what an event costs it."""

from __future__ import annotations

import argparse
import logging
import random
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from stream_jobs.audit.intervals import Cell, Sums
from stream_jobs.audit.readers import Record
from tests.audit_tiers import Bench, MemoryTiers, count_events, fill
from tests.load.audit_damage import Damage
from tests.load.events import events, with_reversals

BEGIN_MS = 1_795_000_000_000
RATE = 10_000
EVENTS_A_RUN = 4_000


def measure(arguments: list[str]) -> dict[str, Any]:
    """Corruptions planted into copies of a generated run, and the cost of an event.

    The audit's own code runs whole: parsing, matching, the state file, comparison. In memory are the three tiers
    that it reads; how long it takes on the real ones is in tests/integration/test_audit.py.
    """
    parser = argparse.ArgumentParser(prog="./dev bench audit", description=measure.__doc__)
    parser.add_argument("--corruptions", type=int, default=1_000)
    parser.add_argument("--events", type=int, default=300_000, help="of the cost's measurement")
    parser.add_argument("--seed", type=int, default=time.time_ns() % 2**31)
    options = parser.parse_args(arguments)
    logging.getLogger("audit").setLevel(logging.CRITICAL)
    return {
        "seed": options.seed,
        **_power(options.corruptions, options.seed),
        **_cost(options.events, options.seed),
    }


def _power(wanted: int, seed: int) -> dict[str, Any]:
    chance = random.Random(seed)
    planted: Counter[str] = Counter()
    checks: Counter[int] = Counter()
    missed: list[str] = []
    false: list[str] = []
    while planted.total() < wanted:
        tiers = _sound(EVENTS_A_RUN, chance.getrandbits(31))
        damage = Damage(tiers, chance)
        mine = [each for _ in range(5) for each in damage.entries()]
        damage.carry_out(BEGIN_MS)
        tiers.serve()
        mine += [each for _ in range(3) for each in damage.pinot()]
        told = _told(tiers)
        for each in mine:
            planted[each.name] += 1
            if each.transaction_id in told:
                checks[told[each.transaction_id]] += 1
            else:
                missed.append(each.name)
        fine = damage.ids | {str(start) for start in damage.intervals}
        false += [key for key in told if key not in fine]
    clean = _sound(50_000, seed)
    clean.serve()
    false += _told(clean)
    return {
        "planted": planted.total(),
        "kinds": dict(sorted(planted.items())),
        "found": planted.total() - len(missed),
        "missed": missed[:20],
        "false_alarms": len(false),
        "first_false_alarms": false[:5],
        "checks_until_told": dict(sorted(checks.items())),
    }


def _sound(count: int, seed: int) -> MemoryTiers:
    """Some minutes of events and their entries."""
    tiers = MemoryTiers()
    made = with_reversals(events(count, seed), seed)
    fill(tiers, ((value, BEGIN_MS + number * 30) for number, value in enumerate(made)))
    count_events(tiers)
    return tiers


def _told(tiers: MemoryTiers) -> dict[str, int]:
    """After how many checks each id, or each interval without ids, was told as wrong."""
    told: dict[str, int] = {}
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(tiers, Path(folder) / "audit.sqlite3", BEGIN_MS + 3_600_000)
        for check in range(1, 5):
            bench.check()
            for each in bench.state.findings.mismatches(10**6, 10**6):
                for key in each.transaction_ids or (str(each.interval_ms),):
                    told.setdefault(key, check)
        bench.state.close()
    return told


class _Agreeing(MemoryTiers):
    """A Pinot that has what the audit has, so that only the audit's own work is measured."""

    bench: Bench

    def sums(self, start_ms: int, end_ms: int) -> dict[Cell, Sums]:
        cells = self.bench.state.intervals.cells(start_ms, end_ms)
        return {cell: tiers.entries for cell, tiers in cells.items() if tiers.entries.rows}

    def hours(self) -> dict[tuple[int, str], tuple[int, int]]:
        return self.bench.state.intervals.hours(0)[0]


def _cost(count: int, seed: int) -> dict[str, Any]:
    """CPU an event at 10,000 events a second of event time, a second behind the job."""
    tiers = _Agreeing()
    made, spent_s, known = events(count, seed), 0.0, set[bytes]()
    gone = Record("", 0, 0, 0, None, None)
    with tempfile.TemporaryDirectory() as folder:
        bench = tiers.bench = Bench(tiers, Path(folder) / "audit.sqlite3", BEGIN_MS)
        for second in range(count // RATE):
            some = made[second * RATE : (second + 1) * RATE]
            time_ms = BEGIN_MS + second * 1_000
            last = MemoryTiers()
            fill(last, ((value, time_ms + n // 10) for n, value in enumerate(some)))
            count_events(last, known)
            for topic, logs in last.logs.items():
                for home, log in zip(tiers.logs[topic], logs, strict=True):
                    start = len(home)
                    home += [record._replace(offset=start + n) for n, record in enumerate(log)]
            bench.clock_ms = time_ms
            began_s = time.process_time()
            bench.check()
            spent_s += time.process_time() - began_s
            for logs in tiers.logs.values():
                for log in logs:
                    log[:] = [gone] * len(log)
        size, matched = bench.state.size_bytes(), bench.state.number("matched")
        consistent = not bench.kinds()
        bench.state.close()
    return {
        "cost_events": count,
        "cost_consistent": consistent,
        "cpu_us_per_event": round(spent_s / count * 1e6, 1),
        "cpu_share_of_a_core_at_10000_events_s": round(spent_s / count * RATE, 3),
        "state_bytes_per_transfer": round(size / matched, 1),
    }
