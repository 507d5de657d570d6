"""chDB: ClickHouse's engine inside the process; one MergeTree table, ordered as it is asked."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from threading import Lock

from chdb.session import Session

from tests.load.stores.engine import size_of, write_csv
from tests.load.stores.payments import TOP, Question, Row, Transfer, cents_of

_STRUCTURE = (
    "account String, counterparty String, direction LowCardinality(String), "
    "transaction_id UUID, amount Decimal(20, 2), time_ms Int64"
)


class ChdbEngine:
    """ClickHouse's engine on a folder; its Python package runs one query at a time."""

    exactness = "exact (Decimal)"

    def start(self, folder: Path) -> None:
        self._folder = folder
        self._lock = Lock()
        self._session = Session(str(folder / "clickhouse"))
        self._session.query("CREATE DATABASE payments ENGINE = Atomic")
        self._session.query(
            f"CREATE TABLE payments.entries ({_STRUCTURE}) "
            "ENGINE = MergeTree ORDER BY (account, direction, time_ms)"
        )

    def load(self, transfers: Sequence[Transfer]) -> None:
        file = self._folder / "entries.csv"
        write_csv(transfers, file)
        self._session.query(
            f"INSERT INTO payments.entries SELECT * FROM file('{file}', 'CSV', '{_STRUCTURE}')"
        )
        self._session.query("OPTIMIZE TABLE payments.entries FINAL")
        file.unlink()

    def can_answer(self, question: Question) -> bool:
        return True

    def answer(self, question: Question) -> list[Row]:
        where = (
            f"account = '{question.account}' AND direction = 'RECEIVED' "
            f"AND time_ms >= {question.start_ms} AND time_ms < {question.end_ms}"
        )
        measures = "count(), toString(sum(amount)) FROM payments.entries"
        text = (
            f"SELECT counterparty, {measures} WHERE {where} GROUP BY counterparty "
            f"ORDER BY sum(amount) DESC, count() DESC, counterparty LIMIT {TOP}"
            if question.top
            else f"SELECT '', {measures} WHERE {where} HAVING count() > 0"
        )
        with self._lock:
            answered = bytes(self._session.query(text, "JSONCompactEachRow").bytes())
        rows = (json.loads(line) for line in answered.splitlines())
        return [(name, int(count), cents_of(amount)) for name, count, amount in rows]

    def add(self, transfer: Transfer) -> None:
        tail = f"'{transfer.transaction_id}', {transfer.amount}, {transfer.time_ms}"
        with self._lock:
            self._session.query(
                f"INSERT INTO payments.entries VALUES "
                f"('{transfer.payee}', '{transfer.payer}', 'RECEIVED', {tail}), "
                f"('{transfer.payer}', '{transfer.payee}', 'SENT', {tail})"
            )

    def pids(self) -> list[int]:
        return [os.getpid()]

    def disk_bytes(self) -> int:
        return size_of(self._folder)

    def stop(self) -> None:
        self._session.close()
