"""Redis: one sorted set an account, a day and a measure; windows of whole days only."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

import redis

from tests.load.child_servers import end, free_port, tied
from tests.load.stores.engine import size_of
from tests.load.stores.payments import DAY_MS, Question, Row, Transfer, ranked
from tests.load.stores.server_process import family, find_program

_BATCH = 2_000


class RedisEngine:
    """A Redis of its own, with an append-only file flushed each second."""

    exactness = "exact up to 2^53 cents a score (doubles)"

    def start(self, folder: Path) -> None:
        self._folder, port = folder, free_port()
        program = find_program("redis-server", (), "redis-server")
        flags = {"port": port, "bind": "127.0.0.1", "dir": folder, "appendonly": "yes", "save": ""}
        options = [str(word) for item in flags.items() for word in (f"--{item[0]}", item[1])]
        self._process = subprocess.Popen(
            [program, *options],
            stdout=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=tied,  # noqa: PLW1509 - no thread runs yet
        )
        self._client = redis.Redis(port=port, max_connections=64, decode_responses=True)
        give_up_s = time.monotonic() + 15
        while True:
            try:
                self._client.ping()
                break
            except redis.ConnectionError:
                if time.monotonic() > give_up_s or self._process.poll() is not None:
                    raise
                time.sleep(0.05)

    def load(self, transfers: Sequence[Transfer]) -> None:
        for first in range(0, len(transfers), _BATCH):
            pipeline = self._client.pipeline(transaction=False)
            for each in transfers[first : first + _BATCH]:
                self._write(pipeline, each)
            pipeline.execute()

    def can_answer(self, question: Question) -> bool:
        return question.whole_days

    def answer(self, question: Question) -> list[Row]:
        days = range(question.start_ms // DAY_MS, question.end_ms // DAY_MS)
        measures = ("amount", "count") if question.top else ("total",)
        pipeline = self._client.pipeline(transaction=False)
        for measure in measures:
            names = [f"R:{question.account}:{day}:{measure}" for day in days]
            pipeline.zunion(names, withscores=True)
        found = [dict(pairs) for pairs in pipeline.execute()]
        if not question.top:
            total = found[0]
            return [("", int(total["count"]), int(total["amount"]))] if total else []
        amounts, counts = found
        return ranked((name, int(counts[name]), int(cents)) for name, cents in amounts.items())

    def add(self, transfer: Transfer) -> None:
        pipeline = self._client.pipeline(transaction=True)
        self._write(pipeline, transfer)
        pipeline.execute()

    def pids(self) -> list[int]:
        return family(self._process)

    def disk_bytes(self) -> int:
        return size_of(self._folder)

    def stop(self) -> None:
        self._client.close()
        end(self._process)

    def _write(self, pipeline: redis.client.Pipeline, transfer: Transfer) -> None:
        day = transfer.time_ms // DAY_MS
        for side, mine, other in (
            ("R", transfer.payee, transfer.payer),
            ("S", transfer.payer, transfer.payee),
        ):
            name = f"{side}:{mine}:{day}"
            pipeline.zincrby(f"{name}:amount", transfer.cents, other)
            pipeline.zincrby(f"{name}:count", 1, other)
            pipeline.zincrby(f"{name}:total", transfer.cents, "amount")
            pipeline.zincrby(f"{name}:total", 1, "count")
