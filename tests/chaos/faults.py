"""Doing a fault to a running stack and taking it back; who judges what came of it is elsewhere."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from confluent_kafka import Producer

from tests.chaos.plan import Fault
from tests.integration.flowing import Traffic
from tests.integration.ledger import Record
from tests.integration.running_stack import RunningStack, now_ms, wait_until

FLINK = ("flink", "flink_taskmanager")
CHECKPOINT_ROOM_MB = 192
ABORTED_RUNS = 20
ABORTED_RECORDS = 5_000
GARBAGE_A_SECOND = 3_000
FLOOD_WINDOW_S = 60  # the alarm is about the last minute
GARBAGE = (b"", b"ping", b"\xff\xfe", b"[]", b'{"amount": 1}', b'{"transaction_id": "x"}')


@dataclass
class Faults:
    """Faults of one stack under `traffic`. Each returns when all that it did is taken back."""

    stack: RunningStack
    traffic: Traffic
    checkpoints: Path

    def do(self, fault: Fault) -> float:
        """Do it and take it back; the monotonic instant from which recovery counts."""
        deeds: dict[str, Callable[[Fault], float]] = {
            "kill": lambda f: self._kill((f.part,)),
            "pause": lambda f: self._pause((f.part,), f.seconds),
            "kill-flink": lambda _: self._kill(FLINK),
            "kill-audit": lambda _: self._kill(("audit", "flink_taskmanager")),
            "outage": self._outage,
            "aborted": self._aborted,
            "open-transaction": self._open_transaction,
            "disk-full": self._disk_full,
            "garbage": self._garbage,
            "power-off": self._power_off,
            "upgrade": self._upgrade,
        }
        return deeds[fault.kind](fault)

    def _kill(self, parts: tuple[str, ...]) -> float:
        before = {part: self.stack.kill(part) for part in parts}
        began = time.monotonic()
        for part, restarts in before.items():
            self.stack.wait_restarted(part, restarts)
        return began

    def _pause(self, parts: tuple[str, ...], seconds: float) -> float:
        status = self.stack.status()
        for part in parts:
            os.kill(status[part]["pid"], signal.SIGSTOP)
        threading.Event().wait(seconds)
        for part in parts:
            os.kill(status[part]["pid"], signal.SIGCONT)
        return time.monotonic()

    def _outage(self, fault: Fault) -> float:
        """Frozen when a checkpoint has promised entries that Kafka has not been told to commit yet."""
        status = self.stack.status()
        before = self._newest_checkpoint()
        deadline = time.monotonic() + 60
        while self._newest_checkpoint() <= before:
            assert time.monotonic() < deadline, "no checkpoint is made"
        # The job manager has written it down, and is about to tell the task manager.
        os.kill(status["flink_taskmanager"]["pid"], signal.SIGSTOP)
        threading.Event().wait(2)
        os.kill(status["flink"]["pid"], signal.SIGSTOP)
        threading.Event().wait(fault.seconds)
        for part in FLINK:
            os.kill(status[part]["pid"], signal.SIGCONT)
        return time.monotonic()

    def _newest_checkpoint(self) -> int:
        complete = self.checkpoints.glob("*/chk-*/_metadata")
        return max((int(file.parent.name.removeprefix("chk-")) for file in complete), default=0)

    def _aborted(self, _: Fault) -> float:
        """Entries that would change every total, if anybody took them for committed."""
        producer = self._transactional(60)
        for _run in range(ABORTED_RUNS):
            producer.begin_transaction()
            for _record in range(ABORTED_RECORDS):
                self._entry(producer)
            producer.flush(60)
            producer.abort_transaction(60)
        return time.monotonic()

    def _open_transaction(self, fault: Fault) -> float:
        """As a producer leaves it that dies: Kafka ends it, and nobody reads past it before."""
        producer = self._transactional(fault.seconds)
        producer.begin_transaction()
        for _ in range(100):
            self._entry(producer)
        producer.flush(60)
        threading.Event().wait(fault.seconds)
        del producer
        return time.monotonic()

    def _transactional(self, timeout_s: float) -> Producer:
        producer = Producer(
            {
                "bootstrap.servers": self.stack.kafka,
                "transactional.id": f"chaos-{uuid.uuid4()}",
                "transaction.timeout.ms": round(timeout_s * 1000),
                "log_level": 0,
            }
        )
        producer.init_transactions(60)
        return producer

    def _entry(self, producer: Producer) -> None:
        entry = {
            "account_id": self.traffic.account,
            "counterparty_id": "nobody",
            "direction": "RECEIVED",
            "transaction_id": str(uuid.uuid4()),
            "amount": "1000000",
            "event_time_ms": now_ms(),
        }
        while True:
            try:
                producer.produce(
                    "account-entries", json.dumps(entry).encode(), key=self.traffic.account
                )
            except BufferError:
                producer.poll(0.1)
            else:
                producer.poll(0)
                return

    def _disk_full(self, fault: Fault) -> float:
        """Fill the checkpoints' tmpfs; where none could be mounted, take away the right to write."""
        if not os.path.ismount(self.checkpoints):
            return self._write_protected(fault)
        filler = self.checkpoints / "filler"
        until = time.monotonic() + fault.seconds
        with filler.open("wb", buffering=0) as file:
            while time.monotonic() < until:
                try:
                    file.write(b"\0" * 65_536)
                except OSError as problem:
                    if problem.errno != errno.ENOSPC:
                        raise
                    threading.Event().wait(0.05)  # what Flink gives back is taken again
        filler.unlink()
        return time.monotonic()

    def _write_protected(self, fault: Fault) -> float:
        folders = [self.checkpoints, *(f for f in self.checkpoints.rglob("*") if f.is_dir())]
        for folder in folders:
            folder.chmod(0o500)
        threading.Event().wait(fault.seconds)
        for folder in folders:
            folder.chmod(0o700)
        return time.monotonic()

    def _garbage(self, fault: Fault) -> float:
        with self.traffic.sending:
            until, sent = time.monotonic() + fault.seconds, 0
            while time.monotonic() < until or sent < 2 * GARBAGE_A_SECOND:
                batch = [
                    Record(GARBAGE[n % len(GARBAGE)], now_ms()) for n in range(GARBAGE_A_SECOND)
                ]
                self.stack.send(batch)
                self.stack.ledger.rejected += len(batch)
                sent += len(batch)
                threading.Event().wait(
                    max(0.0, until - fault.seconds + sent / GARBAGE_A_SECOND - time.monotonic())
                )
            wait_until(lambda: self._flood_is_told(True), 60, "a flood goes unnoticed")
        return time.monotonic()

    def await_all_clear(self, fault: Fault) -> None:
        """An alarm that a fault raised must end with it, in GraphQL and in the metrics."""
        if fault.kind == "garbage":
            limit_s = FLOOD_WINDOW_S + 90
            wait_until(lambda: self._flood_is_told(False), limit_s, "the alarm does not end")

    def _flood_is_told(self, flood: bool) -> bool:
        said = self.stack.metrics()
        told = f"pipeline_reject_flood {float(flood)}" in said.splitlines()
        return told and self.stack.pipeline()["rejectFlood"] is flood

    def _upgrade(self, fault: Fault) -> float:
        began = time.monotonic()
        said = self.stack.dev("upgrade", "--parallelism", fault.part)
        assert said.returncode == 0, said.stdout + said.stderr
        print("    " + said.stdout.strip().replace("\n", "\n    "), flush=True)
        return began

    def _power_off(self, _: Fault) -> float:
        began = time.monotonic()
        os.kill(self.stack.status()["supervisor_pid"], signal.SIGKILL)
        self.stack.up()
        return began


def give_checkpoints_little_room(folder: Path) -> str:
    """Mount a small tmpfs there, before the stack first starts; how a full disk will be made."""
    folder.mkdir(parents=True, exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={CHECKPOINT_ROOM_MB}m", "tmpfs", str(folder)]
    if os.geteuid() == 0 and subprocess.run(command, capture_output=True).returncode == 0:
        return f"a tmpfs of {CHECKPOINT_ROOM_MB} MB"
    return "write protection (a tmpfs cannot be mounted)"


def give_room_back(folder: Path) -> None:
    """Unmount, if anything is mounted."""
    if os.path.ismount(folder):
        subprocess.run(["umount", "-l", str(folder)], check=False)
