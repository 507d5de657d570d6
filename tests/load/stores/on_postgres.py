"""Postgres: entries with an index, and hourly rollups by counterparty kept with every insert."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import psycopg

from tests.load.child_servers import end, free_port, tied
from tests.load.stores.engine import size_of, write_csv
from tests.load.stores.payments import HOUR_MS, TOP, Question, Row, Transfer, cents_of
from tests.load.stores.server_process import family, find_program, unprivileged_user

_FOLDERS = ("usr/lib/postgresql/*/bin",)
_TABLES = """
CREATE TABLE entries (
  account text COLLATE "C" NOT NULL, counterparty text COLLATE "C" NOT NULL, direction text NOT NULL,
  transaction_id uuid NOT NULL, amount numeric(20, 2) NOT NULL, time_ms bigint NOT NULL);
CREATE TABLE hourly (
  account text COLLATE "C" NOT NULL, direction text NOT NULL, hour_ms bigint NOT NULL,
  counterparty text COLLATE "C" NOT NULL, n bigint NOT NULL, amount numeric(30, 2) NOT NULL);
"""
_INDEXES = f"""
INSERT INTO hourly SELECT account, direction, time_ms / {HOUR_MS} * {HOUR_MS}, counterparty,
  count(*), sum(amount) FROM entries GROUP BY 1, 2, 3, 4;
CREATE INDEX ON entries (account, direction, time_ms);
ALTER TABLE hourly ADD PRIMARY KEY (account, direction, hour_ms, counterparty);
"""
# Whole hours come from the rollup, what stands before and after them from the entries.
_ROWS = """
  SELECT counterparty, n, amount FROM hourly WHERE account = %(account)s
    AND direction = 'RECEIVED' AND hour_ms >= %(first)s AND hour_ms < %(last)s
  UNION ALL SELECT counterparty, 1, amount FROM entries WHERE account = %(account)s
    AND direction = 'RECEIVED' AND time_ms >= %(start)s AND time_ms < %(first)s
  UNION ALL SELECT counterparty, 1, amount FROM entries WHERE account = %(account)s
    AND direction = 'RECEIVED' AND time_ms >= %(last)s AND time_ms < %(end)s
"""
_TOP = (
    f"SELECT counterparty, sum(n)::bigint, sum(amount) FROM ({_ROWS}) AS found "
    f"GROUP BY 1 ORDER BY 3 DESC, 2 DESC, 1 LIMIT {TOP}"
)
_TOTALS = f"SELECT '', sum(n)::bigint, sum(amount) FROM ({_ROWS}) AS found HAVING count(*) > 0"
_ADD = f"""
WITH entry AS (INSERT INTO entries VALUES
  (%(payee)s, %(payer)s, 'RECEIVED', %(id)s, %(amount)s::numeric, %(time)s),
  (%(payer)s, %(payee)s, 'SENT', %(id)s, %(amount)s::numeric, %(time)s) RETURNING *)
INSERT INTO hourly SELECT account, direction, time_ms / {HOUR_MS} * {HOUR_MS}, counterparty,
  count(*), sum(amount) FROM entry GROUP BY 1, 2, 3, 4
ON CONFLICT (account, direction, hour_ms, counterparty)
DO UPDATE SET n = hourly.n + excluded.n, amount = hourly.amount + excluded.amount
"""


class PostgresEngine:
    """A Postgres of its own, with its durability as it comes."""

    exactness = "exact (numeric)"

    def start(self, folder: Path) -> None:
        programs = Path(find_program("initdb", _FOLDERS, "postgresql")).resolve().parent
        self._user, self._port = unprivileged_user(), free_port()
        # Its user may not be able to enter the checkout's folders.
        self._home = Path(tempfile.mkdtemp(prefix="bench-postgres-"))
        if self._user:
            shutil.chown(self._home, self._user)
        data = str(self._home / "data")
        self._run(str(programs / "initdb"), "-D", data, "-U", "bench", "-A", "trust", "-N")
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": self._port,
            "unix_socket_directories": "",
            "shared_buffers": "512MB",
            "jit": "off",
        }
        options = [word for item in settings.items() for word in ("-c", "{}={}".format(*item))]
        self._process = subprocess.Popen(
            [str(programs / "postgres"), "-D", data, *options],
            user=self._user,
            cwd=self._home,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=tied,  # noqa: PLW1509 - no thread runs yet
        )
        self._local = threading.local()
        self._connect_when_ready().execute(_TABLES, prepare=False)

    def load(self, transfers: Sequence[Transfer]) -> None:
        file = self._home / "entries.csv"
        write_csv(transfers, file)
        connection = self._connection()
        with (
            connection.cursor() as cursor,
            cursor.copy("COPY entries FROM STDIN WITH (FORMAT csv)") as copy,
        ):
            copy.write(file.read_bytes())
        file.unlink()
        connection.execute(_INDEXES, prepare=False)
        connection.execute("VACUUM ANALYZE")
        connection.execute("CHECKPOINT")

    def can_answer(self, question: Question) -> bool:
        return True

    def answer(self, question: Question) -> list[Row]:
        first = -(-question.start_ms // HOUR_MS) * HOUR_MS
        values = {
            "account": question.account,
            "start": question.start_ms,
            "end": question.end_ms,
            "first": first,
            "last": max(first, question.end_ms // HOUR_MS * HOUR_MS),
        }
        found = self._connection().execute(_TOP if question.top else _TOTALS, values).fetchall()
        return [(name, count, cents_of(amount)) for name, count, amount in found]

    def add(self, transfer: Transfer) -> None:
        values = {
            "payer": transfer.payer,
            "payee": transfer.payee,
            "id": transfer.transaction_id,
            "amount": transfer.amount,
            "time": transfer.time_ms,
        }
        self._connection().execute(_ADD, values)

    def pids(self) -> list[int]:
        return family(self._process)

    def disk_bytes(self) -> int:
        return size_of(self._home / "data" / "base")

    def stop(self) -> None:
        end(self._process)
        shutil.rmtree(self._home)

    def _connection(self) -> psycopg.Connection[tuple[str, int, str]]:
        """This thread's connection; statements are prepared from their first use."""
        if not hasattr(self._local, "connection"):
            self._local.connection = psycopg.connect(
                f"host=127.0.0.1 port={self._port} user=bench dbname=postgres",
                autocommit=True,
                prepare_threshold=0,
            )
        connection: psycopg.Connection[tuple[str, int, str]] = self._local.connection
        return connection

    def _connect_when_ready(self) -> psycopg.Connection[tuple[str, int, str]]:
        give_up_s = time.monotonic() + 30
        while True:
            try:
                return self._connection()
            except psycopg.OperationalError:
                if time.monotonic() > give_up_s or self._process.poll() is not None:
                    raise
                time.sleep(0.1)

    def _run(self, *command: str) -> None:
        environment = {**os.environ, "HOME": str(self._home)}
        subprocess.run(
            command,
            user=self._user,
            cwd=self._home,
            env=environment,
            check=True,
            capture_output=True,
        )
