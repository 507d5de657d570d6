"""A gateway whose payments come from a file, which each of its processes reads: run as a module, as the real one is."""

from __future__ import annotations

import json
import os
import sys
import time
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

from starlette.types import ASGIApp

from gateway.__main__ import main
from gateway.analytics.asking import StoreResult
from gateway.analytics.query_plan import QueryPlan
from gateway.app import create_app
from gateway.process.shared import Process
from gateway.settings import Settings
from gateway.store.duckdb.store import DuckdbStore
from tests.store_cases import transfer

MODULE = "tests.integration.paid_gateway"
FILE = "PAYMENTS_FILE"
UUID = "10000000-0000-4000-8000-{:012d}"


@dataclass
class Payments:
    """The file, as whoever pays sees it."""

    file: Path
    made: int = 0

    def pay(self, receiver: str, sender: str, amount: str = "1.25") -> None:
        """One more, a line of its own."""
        self.made += 1
        payment = [receiver, sender, UUID.format(self.made), amount, time.time_ns() // 1_000_000]
        with self.file.open("a") as file:
            file.write(json.dumps(payment) + "\n")


class PaidStore(DuckdbStore):
    """Knows at each question what was paid before it."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self._file = file
        self._read = 0

    async def fetch(self, plan: QueryPlan[Any], timeout_s: float) -> StoreResult[Any]:
        """As the embedded store, after what is new has been loaded."""
        with self._file.open("rb") as file:
            file.seek(self._read)
            came = file.read()
        whole = came[: came.rfind(b"\n") + 1]
        self._read += len(whole)
        for line in whole.splitlines():
            receiver, sender, transaction_id, amount, time_ms = json.loads(line)
            self.load(transfer(receiver, sender, transaction_id, Decimal(amount), time_ms))
        return await super().fetch(plan, timeout_s)


def _create(file: Path, settings: Settings, process: Process) -> ASGIApp:
    return create_app(settings, PaidStore(file), process=process)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], partial(_create, Path(os.environ[FILE]))))
