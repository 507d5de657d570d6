"""DuckDB: an analytical engine inside the process; one table, ordered by account."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import duckdb

from tests.load.stores.engine import size_of, write_csv
from tests.load.stores.payments import TOP, Question, Row, Transfer, cents_of

_COLUMNS = (
    "account VARCHAR, counterparty VARCHAR, direction VARCHAR, transaction_id VARCHAR, "
    "amount DECIMAL(20, 2), time_ms BIGINT"
)
_WHERE = "account = ? AND direction = 'RECEIVED' AND time_ms >= ? AND time_ms < ?"
_TOP = (
    f"SELECT counterparty, count(*), sum(amount) FROM entries WHERE {_WHERE} "
    f"GROUP BY 1 ORDER BY 3 DESC, 2 DESC, 1 LIMIT {TOP}"
)
_TOTALS = f"SELECT '', count(*), sum(amount) FROM entries WHERE {_WHERE} HAVING count(*) > 0"


class DuckdbEngine:
    """DuckDB on a file."""

    exactness = "exact (DECIMAL)"

    def start(self, folder: Path) -> None:
        self._folder = folder
        self._database = duckdb.connect(str(folder / "payments.duckdb"))
        self._database.execute(f"CREATE TABLE entries ({_COLUMNS})")

    def load(self, transfers: Sequence[Transfer]) -> None:
        file = self._folder / "entries.csv"
        write_csv(transfers, file)
        self._database.execute(
            "INSERT INTO entries SELECT * FROM read_csv(?, header=false, columns={'account': "
            "'VARCHAR', 'counterparty': 'VARCHAR', 'direction': 'VARCHAR', 'transaction_id': "
            "'VARCHAR', 'amount': 'DECIMAL(20, 2)', 'time_ms': 'BIGINT'}) ORDER BY 1, 6",
            [str(file)],
        )
        self._database.execute("CHECKPOINT")
        file.unlink()

    def can_answer(self, question: Question) -> bool:
        return True

    def answer(self, question: Question) -> list[Row]:
        values = [question.account, question.start_ms, question.end_ms]
        text = _TOP if question.top else _TOTALS
        rows = self._database.cursor().execute(text, values).fetchall()
        return [(name, count, cents_of(amount)) for name, count, amount in rows]

    def add(self, transfer: Transfer) -> None:
        tail = (transfer.transaction_id, transfer.amount, transfer.time_ms)
        self._database.cursor().execute(
            "INSERT INTO entries VALUES (?, ?, 'RECEIVED', ?, ?, ?), (?, ?, 'SENT', ?, ?, ?)",
            [transfer.payee, transfer.payer, *tail, transfer.payer, transfer.payee, *tail],
        )

    def pids(self) -> list[int]:
        return [os.getpid()]

    def disk_bytes(self) -> int:
        return size_of(self._folder)

    def stop(self) -> None:
        self._database.close()
