"""Which faults, in which order: chosen by a seed alone, so that a run can be had again."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

# Faults of one part; the others are of the whole.
OF_A_PART = ("kill", "pause")
OF_ALL = (
    "kill-flink",
    "kill-audit",
    "outage",
    "aborted",
    "open-transaction",
    "disk-full",
    "garbage",
    "power-off",
    "upgrade",
)
KINDS = (*OF_A_PART, *OF_ALL)
MEANINGS = {
    "kill": "kill -9 of one part",
    "pause": "SIGSTOP of one part, SIGCONT seconds later",
    "kill-flink": "kill -9 of both Flink processes at once",
    "kill-audit": "kill -9 of the audit and Flink's task manager at once",
    "outage": "both Flink processes frozen for longer than a transaction may last (--transaction-timeout-s)",
    "aborted": "a long run of aborted transactions on account-entries",
    "open-transaction": "a transaction on account-entries left open, until Kafka gives it up",
    "disk-full": "no room left for checkpoints",
    "garbage": "nothing but garbage for a while",
    "upgrade": "./dev upgrade to another parallelism",
    "power-off": "kill -9 of the supervisor, and ./dev up again",
}
# Half of the faults hit one part, as most do outside of a test.
WEIGHTS = {"kill": 8, "pause": 6, "outage": 1, "power-off": 1}


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault to come. `seconds` is how long a pause, an outage or a flood lasts.

    `part` is the part that is hit; of an upgrade the parallelism that it is to.
    """

    kind: str
    part: str = ""
    seconds: float = 0.0

    def __str__(self) -> str:
        part = f" {self.part}" if self.part else ""
        return f"{self.kind}{part}" + (f" for {self.seconds:.0f} s" if self.seconds else "")


def faults(
    seed: int, count: int, parts: Sequence[str], only: Sequence[str], outage_s: float
) -> list[Fault]:
    """`count` faults of the kinds in `only`; every kind once before any comes a second time by weight.

    The same holds for the parts: each is killed once before any is killed again, and paused.
    """
    chance = random.Random(seed)
    first = list(only)
    chance.shuffle(first)
    weights = [WEIGHTS.get(kind, 2) for kind in only]
    turns: dict[str, list[str]] = {kind: [] for kind in KINDS}
    made: list[Fault] = []
    while len(made) < count:
        # One after the other, so that a shorter run is the beginning of a longer one.
        kind = first.pop(0) if first else chance.choices(only, weights)[0]
        if not turns[kind]:
            turns[kind] = sorted(parts)
            chance.shuffle(turns[kind])
        made.append(_fault(chance, kind, turns[kind], outage_s))
    return made


def _fault(chance: random.Random, kind: str, parts: list[str], outage_s: float) -> Fault:
    lasting = {
        "pause": chance.uniform(2, 25),
        "outage": outage_s,
        "open-transaction": chance.uniform(5, 15),
        "disk-full": chance.uniform(8, 20),
        "garbage": chance.choice([20.0, 60.0]),
    }
    parallelism = chance.choice("123")
    hit = parts.pop() if kind in OF_A_PART else parallelism if kind == "upgrade" else ""
    return Fault(kind, hit, lasting.get(kind, 0.0))
