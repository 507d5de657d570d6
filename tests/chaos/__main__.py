"""`./dev chaos`: faults in an order told by a seed, under load; then lost, doubled and wrong must be 0.

A stack of its own, beside one that may be running. After each fault the load pauses until every answer
holds all that was sent; then the entries are compared with what was sent, id by id.
"""

from __future__ import annotations

import argparse
import json
import math
import shutil
import signal
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import httpx

from tests.chaos import auditing
from tests.chaos.accounting import Difference, Entries
from tests.chaos.faults import Faults, give_checkpoints_little_room, give_room_back
from tests.chaos.plan import KINDS, MEANINGS, Fault, faults
from tests.integration.flowing import DAY_MS, Traffic
from tests.integration.running_stack import (
    CHECKOUT,
    OperationError,
    RunningStack,
    now_ms,
    parse_ms,
    to_rfc3339,
    wait_until,
)

RECOVERY_LIMIT_S = 240
STATE = CHECKOUT / ".local" / "chaos-stack"
NOTHING = Difference(0, 0, 0, Fraction(0))
NOT_HARMED = {"traffic"}


@dataclass
class Run:
    """One run: what was done, how long recovery took, what was found."""

    stack: RunningStack
    traffic: Traffic
    entries: Entries
    recoveries: list[float] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)
    repairs: bool = False  # whether what is lost is repaired before it is judged
    lost_before_repair: int = 0
    difference: Difference = NOTHING
    told_by_audit: int = 0  # entries that it called lost, before repair
    told_after_s: float | None = None  # from the fault's end
    wrong_before_repair: int = 0

    def judge(self, fault: Fault, healed_at: float) -> None:
        """Wait until answers hold what came after the fault, then compare all with what was sent."""
        recovery = self._await_fresh(now_ms()) - healed_at
        self.recoveries.append(recovery)
        with self.traffic.sending:
            self.stack.wait_complete(now_ms(), limit_s=RECOVERY_LIMIT_S)
            self.entries.read_on()
            self.difference = self.entries.against(self.stack.ledger)
            self._ask_audit(fault)
            if self.difference.lost:
                self._time_audit(healed_at)
            if self.repairs and self.difference.lost:
                self._repair()
                self._ask_audit(fault)
            if not self.difference.none:
                self.findings.append(f"{fault}: {self.difference}")
            self._compare_answers(fault)
        wrong = len(self.traffic.wrong)
        print(
            f"  {fault}: recovered in {recovery:.1f} s, lost {self.difference.lost}, "
            f"doubled {self.difference.duplicated}, wrong answers {wrong}",
            flush=True,
        )

    def _ask_audit(self, fault: Fault) -> None:
        """It must have found what the accounting found, and nothing else."""
        verdict = auditing.ask(self.stack, now_ms(), RECOVERY_LIMIT_S)
        wrong = verdict.contradiction(self.difference)
        if wrong:
            self.findings.append(f"{fault}: {wrong}")
        if verdict.findings:
            print(f"    audit: {verdict.state}, {dict(verdict.findings)}", flush=True)
            self.told_by_audit += self.difference.lost if not wrong else 0

    def _time_audit(self, healed_at: float) -> None:
        healed_s = time.time() - (time.monotonic() - healed_at)
        told_s = auditing.first_told_s(self.stack.state / "log/audit.log", healed_s)
        self.told_after_s = None if told_s is None else round(told_s - healed_s, 1)

    def _repair(self) -> None:
        """Have all of the last day repaired that is missing, as an operator would."""
        self.lost_before_repair += self.difference.lost
        bounds = ("--from", to_rfc3339(now_ms() - DAY_MS), "--to", to_rfc3339(now_ms() + 1_000))
        said = self.stack.dev("repair", *bounds, "--apply")
        print(f"    lost {self.difference.lost}; repair: {said.stdout.strip()}", flush=True)
        assert said.returncode == 0, said.stdout + said.stderr
        self.stack.wait_complete(now_ms(), limit_s=RECOVERY_LIMIT_S)
        self.entries.read_on()
        self.difference = self.entries.against(self.stack.ledger)
        # From here on answers must be right; what came before is told apart.
        self.wrong_before_repair += len(self.traffic.wrong)
        self.traffic.wrong.clear()

    def _await_fresh(self, instant_ms: int) -> float:
        """The monotonic instant at which an answer held all that was sent before `instant_ms`."""

        def reached() -> bool:
            try:
                return parse_ms(self.stack.pipeline()["asOf"]) >= instant_ms
            except (OperationError, httpx.HTTPError, ValueError):
                return False

        wait_until(reached, RECOVERY_LIMIT_S, "answers do not get past the fault")
        return time.monotonic()

    def _compare_answers(self, fault: Fault) -> None:
        try:
            window = (now_ms() - DAY_MS, now_ms() + DAY_MS)
            self.stack.assert_exact([self.traffic.account], window)
            said = self.stack.pipeline()
            assert said["entries"] == 2 * len(self.stack.ledger.transfers), said
            assert said["rejected"] == self.stack.ledger.rejected, said
        except (AssertionError, OperationError, httpx.HTTPError) as wrong:
            self.findings.append(f"{fault}: {str(wrong)[:300]}")

    def summary(self, seed: int, done: Sequence[Fault]) -> dict[str, Any]:
        ordered = sorted(self.recoveries)
        return {
            "seed": seed,
            "faults": len(done),
            "events": self.traffic.records + self.stack.ledger.rejected,
            "transfers": len(self.stack.ledger.transfers),
            "lost": self.difference.lost,
            "lost_before_repair": self.lost_before_repair,
            "told_by_audit": self.told_by_audit,
            "told_after_s": self.told_after_s,
            "wrong_before_repair": self.wrong_before_repair,
            "duplicated": self.difference.duplicated,
            "unknown": self.difference.unknown,
            "amount_difference": str(self.difference.amount),
            "wrong_answers": len(self.traffic.wrong),
            "answers": self.traffic.answers,
            "refused": self.traffic.refused,
            "recovery_p50_s": _rank(ordered, 0.5),
            "recovery_p95_s": _rank(ordered, 0.95),
            "recovery_max_s": _rank(ordered, 1.0),
            "findings": self.findings + self.traffic.wrong[:5],
        }


def _rank(ordered: Sequence[float], share: float) -> float | None:
    return round(ordered[max(0, math.ceil(len(ordered) * share) - 1)], 1) if ordered else None


def run(stack: RunningStack, options: argparse.Namespace) -> dict[str, Any]:
    """All faults on a stack that is up; the figures."""
    traffic = Traffic(stack, f"chaos-{options.seed}")
    stop = threading.Event()
    threads = [
        threading.Thread(target=traffic.produce, args=(stop, options.seed)),
        threading.Thread(target=traffic.question, args=(stop,)),
    ]
    for thread in threads:
        thread.start()
    going = Run(stack, traffic, Entries(stack.kafka), repairs=options.repair)
    done: list[Fault] = []
    try:
        wait_until(lambda: traffic.answered_events > 500, 90, "nothing flows")
        parts = [name for name, part in stack.status().items() if isinstance(part, dict)]
        harmed = options.part or [name for name in parts if name not in NOT_HARMED]
        doing = Faults(stack, traffic, stack.state / "data/flink/checkpoints")
        until = time.monotonic() + 60 * options.minutes if options.minutes else math.inf
        for fault in faults(options.seed, options.faults, harmed, options.only, options.outage_s):
            if time.monotonic() > until:
                break
            done.append(fault)
            try:
                going.judge(fault, doing.do(fault))
                doing.await_all_clear(fault)
                assert not traffic.problems, traffic.problems
            except AssertionError as stuck:
                going.findings.append(f"{fault}: {stuck}")
                break
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    return going.summary(options.seed, done)


def main(arguments: Sequence[str]) -> int:
    """Exit code 0: nothing lost, doubled or wrong; 1: something was; 2: usage."""
    parser = argparse.ArgumentParser(prog="./dev chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 2**31)
    parser.add_argument("--faults", type=int, default=None, metavar="N", help="so many (10)")
    parser.add_argument("--minutes", type=float, default=None, metavar="M", help="for so long")
    parser.add_argument("--only", action="append", choices=KINDS, metavar="KIND")
    parser.add_argument("--part", action="append", help="the parts to kill and pause: all")
    parser.add_argument("--list", action="store_true", help="the kinds of faults")
    parser.add_argument(
        "--transaction-timeout-s", type=int, help="when Kafka gives up the job's transactions"
    )
    parser.add_argument(
        "--repair", action="store_true", help="have ./dev repair write what was lost, then judge"
    )
    parser.add_argument("--outage-s", type=float, default=90.0, help="how long an outage lasts")
    options = parser.parse_args(arguments)
    if options.list:
        for kind, meaning in MEANINGS.items():
            print(f"  {kind:<18} {meaning}")
        return 0
    options.only = options.only or [kind for kind in KINDS if kind != "outage"]
    options.faults = options.faults or (10_000 if options.minutes else 10)
    stack = RunningStack(STATE)
    if options.transaction_timeout_s:
        stack.settings["STACK_JOB_TRANSACTION_TIMEOUT_S"] = str(options.transaction_timeout_s)
    return _on_new_stack(stack, options)


def _on_new_stack(stack: RunningStack, options: argparse.Namespace) -> int:
    stack.dev("down")
    checkpoints = stack.state / "data/flink/checkpoints"
    give_room_back(checkpoints)
    shutil.rmtree(stack.state / "data", ignore_errors=True)
    print(
        f"seed {options.seed}; a full disk is {give_checkpoints_little_room(checkpoints)}",
        flush=True,
    )
    try:
        stack.up()
        figures = run(stack, options)
    finally:
        stack.dev("down")
        give_room_back(checkpoints)
    print(json.dumps(figures))
    bad = figures["lost"] or figures["duplicated"] or figures["findings"] or figures["unknown"]
    return 1 if bad else 0


if __name__ == "__main__":
    # Ended from outside as by Ctrl-C: the stack is stopped and the room given back.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
