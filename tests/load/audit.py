"""The audit judged: corruptions of every kind planted, found or not; and what an event costs it."""

from __future__ import annotations

import argparse
import gc
import logging
import random
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from stream_jobs.events.rules import judge
from tests.audit_bench import Bench, findings_of
from tests.audit_job import Job, fill
from tests.audit_tiers import BEGIN_MS, RAW, MemoryKafka, serve
from tests.load.audit_damage import Damage, Planted
from tests.load.events import events, with_reversals

RATE = 10_000
EVENTS_A_RUN = 4_000
LOOKS = 4
GARBAGE = [b"ping", b"{}", b'{"amount":1}', b"[]"]


def measure(arguments: list[str]) -> dict[str, Any]:
    """Corruptions planted into copies of a generated run, and the cost of an event.

    The audit's own code runs whole: reading, coverage, the memory of ids, the state file, comparison. In memory are the
    topics and the rows that it reads; what it costs on the real ones is in `./dev bench pipeline`.
    """
    options = parser().parse_args(arguments)
    logging.getLogger("audit").setLevel(logging.CRITICAL)
    return {
        "seed": options.seed,
        **_power(options.corruptions, options.seed),
        **_cost(options.events, options.seed),
    }


def parser() -> argparse.ArgumentParser:
    """Its options."""
    parser = argparse.ArgumentParser(prog="./dev bench audit", description=measure.__doc__)
    parser.add_argument("--corruptions", type=int, default=1_127)
    parser.add_argument("--events", type=int, default=300_000, help="of the cost's measurement")
    parser.add_argument("--seed", type=int, default=time.time_ns() % 2**31)
    return parser


def _power(wanted: int, seed: int) -> dict[str, Any]:
    chance = random.Random(seed)
    planted: Counter[str] = Counter()
    looks: Counter[int] = Counter()
    missed: list[str] = []
    false: list[str] = []
    while planted.total() < wanted:
        kafka = _sound(EVENTS_A_RUN, chance.getrandbits(31))
        damage = Damage(kafka, chance)
        mine = damage.outcomes() + damage.outcomes()
        damage.carry_out()
        pinot = serve(kafka)
        mine += damage.pinot(pinot)
        told = _told(kafka, pinot)
        for each in mine:
            planted[each.name] += 1
            found = _found(each, told)
            if found:
                looks[found] += 1
            else:
                missed.append(f"{each.name}: {each.source}")
        fine = damage.ids | {str(source) for source in damage.spoilt}
        false += [f"{key}: {told[key]}" for key in told if not fine.intersection(key)]
    clean = _sound(50_000, seed)
    false += map(str, _told(clean, serve(clean)))
    return {
        "planted": planted.total(),
        "kinds": dict(sorted(planted.items())),
        "found": planted.total() - len(missed),
        "missed": missed[:20],
        "false_alarms": len(false),
        "first_false_alarms": false[:5],
        "looks_until_told": dict(sorted(looks.items())),
    }


def _found(planted: Planted, told: dict[tuple[str, str], int]) -> int:
    keys = {str(planted.source), planted.transaction_id} - {""}
    return min((look for key, look in told.items() if keys.intersection(key)), default=0)


def _sound(count: int, seed: int) -> MemoryKafka:
    """Some minutes of events and their outcomes."""
    kafka = MemoryKafka()
    made = with_reversals(events(count, seed), seed)
    made = [
        each
        for n, value in enumerate(made)
        for each in ([value, GARBAGE[n % 4]] if n % 50 == 7 else [value])
    ]
    fill(kafka, ((value, BEGIN_MS + number * 30) for number, value in enumerate(made)))
    Job(kafka).run()
    return kafka


def _told(kafka: MemoryKafka, pinot: Any) -> dict[tuple[str, str], int]:
    """After how many looks each raw record, with the id that was named, was told as wrong."""
    told: dict[tuple[str, str], int] = {}
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(kafka, pinot, Path(folder))
        for look in range(1, LOOKS + 1):
            bench.look()
            for each in findings_of(bench):
                key = str((each.partition, each.offset)), each.transaction_id
                told.setdefault(key, look)
        bench.close()
    return told


def _cost(count: int, seed: int) -> dict[str, Any]:
    """CPU an event at 10,000 events a second, a second behind the job, beside judging the same events once."""
    kafka = MemoryKafka()
    made = events(count, seed)
    job, spent_s, judged_s = Job(kafka), 0.0, 0.0
    gc.disable()  # as the audit's process does
    with tempfile.TemporaryDirectory() as folder:
        pinot = serve(kafka)
        bench = Bench(kafka, pinot, Path(folder))
        pinot.has_read_all = False  # what Pinot's part costs is Pinot's, and the real one's
        for second in range(max(1, count // RATE)):
            some = made[second * RATE : (second + 1) * RATE]
            time_ms = BEGIN_MS + second * 1_000
            fill(kafka, ((value, time_ms + n // 10) for n, value in enumerate(some)))
            job.run()
            began_s = time.process_time()
            while bench.auditor.read(0):
                pass
            bench.auditor.look()
            spent_s += time.process_time() - began_s
            began_s = time.process_time()
            for value in some:
                judge(value, time_ms)
            judged_s += time.process_time() - began_s
        matched = bench.auditor.matched
        disk = bench.state.size_bytes() + bench.ids.size_bytes
        consistent = not bench.kinds()
        bench.close()
    gc.enable()
    raw = sum(map(len, kafka.logs[RAW]))
    return {
        "cost_events": raw,
        "cost_consistent": consistent,
        "cpu_us_per_event": round(spent_s / raw * 1e6, 1),
        "judging_us_per_event": round(judged_s / raw * 1e6, 1),
        "times_judging": round(spent_s / judged_s, 1),
        "state_bytes_per_transfer": round(disk / matched, 1),
    }
