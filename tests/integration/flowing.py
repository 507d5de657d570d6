"""Events that flow while something is done to the stack, and every answer given meanwhile, judged."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import count
from uuid import UUID

import httpx

from tests.integration.ledger import Record, Reversal, Transfer, transfers
from tests.integration.running_stack import (
    OperationError,
    RunningStack,
    now_ms,
    parse_ms,
    to_rfc3339,
    wait_until,
)

DAY_MS = 86_400_000
BATCH = 200
TOTALS = """
query Totals($id: ID!, $window: WindowInput!) {
  account(id: $id) { totals(window: $window) { asOf exact transactionCount transactionAmount } }
}
"""
SERIES = count()


@dataclass
class Traffic:
    """Events sent all the while, with duplicates and out of order, and every answer given meanwhile.

    `sent` holds for each batch the instant by which it was acknowledged, and the sums up to it. Whoever
    holds `sending` keeps more from being sent; `problems` are those that ended a thread.
    """

    stack: RunningStack
    account: str
    sent: list[tuple[int, int, Fraction]] = field(default_factory=list)
    begun: list[tuple[int, int, Fraction]] = field(default_factory=list)
    answers: int = 0
    answered_events: int = 0
    refused: int = 0
    wrong: list[str] = field(default_factory=list)
    problems: list[Exception] = field(default_factory=list)
    sending: threading.Lock = field(default_factory=threading.Lock)
    records: int = 0

    def produce(self, stop: threading.Event, seed: int) -> None:
        # Not the number alone: other tests' ids come out of small numbers, too, and would be the same.
        chance = random.Random(f"{self.account} {seed}")
        events, amount = 0, Fraction(0)
        before: list[Transfer] = []
        held: list[Transfer] = []
        while not stop.is_set():
            # All of it under the lock: what is in the ledger has been sent when anybody else holds it.
            with self.sending:
                fresh = self._fresh(chance)
                # Some come a batch later than they were made, with their own time.
                batch, held = [*fresh[: -BATCH // 20], *held], fresh[-BATCH // 20 :]
                chance.shuffle(batch)
                events += len(batch)
                amount += sum(Fraction(t.amount) for t in batch)
                records = [t.record() for t in batch] + self._reversed(chance)
                again = chance.sample(before, min(20, len(before)))
                records += [t.record(shouted=True) for t in again]
                self.stack.ledger.add(batch)
                self.begun.append((now_ms(), events, amount))
                try:
                    acknowledged = self.stack.send(records)
                except Exception as problem:  # noqa: BLE001 - told to whoever waits for the thread
                    self.problems.append(problem)
                    return
                self.sent.append((acknowledged, events, amount))
                self.records += len(records)
            before = [*before[-2_000:], *batch]
            stop.wait(0.2)

    def _fresh(self, chance: random.Random) -> list[Transfer]:
        senders = [f"{self.account}-from-{n}" for n in range(30)]
        return [
            Transfer(t.transaction_id, t.from_account_id, self.account, t.amount, now_ms())
            for t in transfers(chance.randrange(2**62), BATCH, senders, 0, 1)
        ]

    def _reversed(self, chance: random.Random) -> list[Record]:
        """Transfers of another account, each undone: before it comes, after, twice, and wrongly."""
        (paid,) = transfers(chance.randrange(2**62), 1, [f"{self.account}-undone"], 0, 1)
        paid = replace(paid, time_ms=now_ms())
        ids = [str(UUID(int=chance.getrandbits(128))) for _ in range(2)]
        undone, again = (Reversal(id_, paid, now_ms()) for id_ in ids)
        self.stack.ledger.add([paid, undone.effect])
        self.stack.ledger.rejected += 1
        records = [paid.record(), undone.record(), undone.record()]
        chance.shuffle(records)
        # Another one of it is rejected wherever it comes: it differs.
        return [again.record(to_account_id="somebody else"), *records]

    def question(self, stop: threading.Event) -> None:
        bounds = {"start": to_rfc3339(now_ms() - DAY_MS), "end": to_rfc3339(now_ms() + DAY_MS)}
        while not stop.is_set():
            try:
                data = self.stack.ask(TOTALS, id=self.account, window={"between": bounds})
            except OperationError as refusal:
                self.refused += 1
                self.wrong += set(refusal.codes) - {"BACKEND_UNAVAILABLE", "DEADLINE_EXCEEDED"}
            except httpx.HTTPError:
                self.refused += 1
            else:
                self.judge(data["account"]["totals"])
            stop.wait(0.1)

    def judge(self, totals: dict[str, str]) -> None:
        """An answer holds at least all that was acknowledged before its asOf, and no more than was sent."""
        self.answers += 1
        as_of = parse_ms(totals["asOf"])
        answered = (int(totals["transactionCount"]), Fraction(totals["transactionAmount"]))
        self.answered_events = answered[0]
        least = max(((n, a) for at, n, a in self.sent if at <= as_of), default=(0, Fraction(0)))
        most = self.begun[-1][1:] if self.begun else (0, Fraction(0))
        if not (least[0] <= answered[0] <= most[0] and least[1] <= answered[1] <= most[1]):
            self.wrong.append(f"{totals} although {least} to {most}")


@contextmanager
def traffic(stack: RunningStack) -> Iterator[Traffic]:
    """Traffic and questions while the block runs; afterwards everything must be exact."""
    number = next(SERIES)
    flowing = Traffic(stack, f"fault-{number}")
    stop = threading.Event()
    threads = [
        threading.Thread(target=flowing.produce, args=(stop, number)),
        threading.Thread(target=flowing.question, args=(stop,)),
    ]
    for thread in threads:
        thread.start()
    try:
        # The fault is to hit a pipeline under way: what was sent over several checkpoints is answered.
        wait_until(lambda: flowing.answered_events > 3 * BATCH, 60, "nothing flows")
        yield flowing
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    stack.wait_complete(now_ms(), limit_s=180)
    assert not flowing.problems, flowing.problems
    assert flowing.answers > 0
    assert not flowing.wrong, flowing.wrong[:3]
    stack.assert_exact(
        [flowing.account, f"{flowing.account}-undone"], (now_ms() - DAY_MS, now_ms() + DAY_MS)
    )
    assert stack.pipeline()["entries"] == 2 * len(stack.ledger.transfers)
