"""Which stores are compared, and what all of them are measured with."""

from __future__ import annotations

from dataclasses import dataclass

ENGINES = {
    "pinot": "tests.load.stores.on_pinot:PinotEngine",
    "duckdb": "tests.load.stores.on_duckdb:DuckdbEngine",
    "chdb": "tests.load.stores.on_chdb:ChdbEngine",
    "postgres": "tests.load.stores.on_postgres:PostgresEngine",
    "redis": "tests.load.stores.on_redis:RedisEngine",
}


@dataclass(frozen=True, slots=True)
class Terms:
    """What all stores are measured with."""

    transfers: int
    questions: int
    seconds: float
    threads: int
    seed: int
    end_ms: int
