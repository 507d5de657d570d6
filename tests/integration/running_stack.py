"""A real stack of its own for the tests, driven by `./dev` as a user would drive it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import httpx
from confluent_kafka import Producer

from tests.integration.ledger import DIRECTIONS, Ledger, Record

CHECKOUT = Path(__file__).resolve().parents[2]
# Beside a stack that a developer may have running; below the range that systems take ports from at will.
PORTS = {
    "STACK_GATEWAY_PORT": 28000,
    "STACK_KAFKA_PORT": 29092,
    "STACK_KAFKA_CONTROLLER_PORT": 29093,
    "STACK_ZOOKEEPER_PORT": 22181,
    "STACK_PINOT_CONTROLLER_PORT": 29000,
    "STACK_PINOT_BROKER_PORT": 28099,
    "STACK_PINOT_SERVER_PORT": 28098,
    "STACK_PINOT_SERVER_ADMIN_PORT": 28097,
    "STACK_FLINK_REST_PORT": 28081,
    "STACK_FLINK_RPC_PORT": 26123,
    "STACK_FLINK_BLOB_PORT": 26124,
    "STACK_METRICS_PORT": 26125,
    "STACK_AUDIT_PORT": 28100,
}
MEASURES = "transactionCount transactionAmount counterpartyCount"
TOP = f"""
query Top($id: ID!, $window: WindowInput!, $direction: Direction!, $orderBy: RankBy!) {{
  account(id: $id) {{
    topCounterparties(window: $window, direction: $direction, orderBy: $orderBy, first: 10) {{
      asOf exact
      rows {{ rank accountId transactionCount transactionAmount }}
      others {{ {MEASURES} }}
      total {{ {MEASURES} }}
    }}
    totals(window: $window, direction: $direction) {{ asOf exact {MEASURES} }}
  }}
}}
"""
Condition = Callable[[], Any]


class OperationError(Exception):
    """GraphQL answered with errors; `codes` are theirs."""

    def __init__(self, errors: list[dict[str, Any]]) -> None:
        super().__init__("; ".join(error["message"] for error in errors))
        self.codes = [error["extensions"]["code"] for error in errors]


@dataclass
class RunningStack:
    """One stack in its own folder and on its own ports; `ledger` is all that was sent to it.

    `complete_ms`: answers are known to hold all that reached `transactions` before this instant.
    """

    state: Path
    ledger: Ledger = field(default_factory=Ledger)
    complete_ms: int = 0
    settings: dict[str, str] = field(default_factory=dict)  # STACK_* variables beside the ports

    @property
    def environment(self) -> dict[str, str]:
        ports = {name: str(port) for name, port in PORTS.items()}
        return {**os.environ, **ports, "STACK_STATE": str(self.state), **self.settings}

    @property
    def gateway(self) -> str:
        return f"http://127.0.0.1:{PORTS['STACK_GATEWAY_PORT']}"

    @property
    def kafka(self) -> str:
        return f"127.0.0.1:{PORTS['STACK_KAFKA_PORT']}"

    def dev(
        self, *arguments: str, limit_s: float = 400, stdin: str = ""
    ) -> subprocess.CompletedProcess[str]:
        """Run one `./dev` command to its end."""
        return subprocess.run(
            ["./dev", *arguments],
            cwd=CHECKOUT,
            env=self.environment,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=limit_s,
            check=False,
        )

    def up(self, *arguments: str) -> str:
        """`./dev up --detach`; returns what it printed, fails with it if it did not come up."""
        said = self.dev("up", "--detach", "--no-load", *arguments)
        assert said.returncode == 0, said.stdout + said.stderr
        return said.stdout

    def status(self) -> dict[str, Any]:
        body: dict[str, Any] = json.loads(self.dev("status", "--json").stdout)
        return body

    def kill(self, part: str) -> int:
        """`kill -9` one part; returns how often it had been restarted before."""
        body = self.status()[part]
        os.kill(body["pid"], signal.SIGKILL)
        return int(body["restarts"])

    def wait_restarted(self, part: str, restarts: int) -> None:
        """Wait until the part runs in a later life than its `restarts`-th."""
        wait_until(
            lambda: (
                (now := self.status().get(part))
                and now["restarts"] > restarts
                and now["state"] == "running"
            ),
            240,
            f"{part} is not running again",
        )

    def job_state(self) -> str:
        """What Flink says of the job, e.g. RUNNING; empty while Flink does not answer."""
        url = f"http://127.0.0.1:{PORTS['STACK_FLINK_REST_PORT']}/jobs/overview"
        try:
            jobs = httpx.get(url, timeout=5, trust_env=False).json()["jobs"]
        except (httpx.HTTPError, ValueError, KeyError):
            return ""
        newest = max(jobs, key=lambda job: job["start-time"], default={"state": ""})
        return str(newest["state"])

    def send(self, records: Iterable[Record], compression: str = "none") -> int:
        """Produce records in order; returns the instant, in epoch ms, before which all were acknowledged."""
        producer = Producer(
            {
                "bootstrap.servers": self.kafka,
                "linger.ms": 5,
                "enable.idempotence": True,
                "compression.type": compression,
                "message.max.bytes": 50_000_000,
                "log_level": 0,
            }
        )
        failed: list[str] = []

        def done(error: object, _message: object) -> None:
            if error is not None:
                failed.append(str(error))

        for record in records:
            while True:
                try:
                    producer.produce(
                        "transactions",
                        record.value,
                        record.key,
                        timestamp=record.time_ms,
                        headers=list(record.headers),
                        on_delivery=done,
                    )
                    break
                except BufferError:
                    producer.poll(0.1)
            producer.poll(0)
        assert producer.flush(120) == 0
        assert not failed, failed[:3]
        return now_ms()

    def ask(self, document: str, **variables: Any) -> Any:
        """The `data` of one operation.

        Raises:
            OperationError: GraphQL answered with errors.
        """
        body = {"query": document, "variables": variables}
        answer = httpx.post(
            f"{self.gateway}/graphql", json=body, timeout=30, trust_env=False
        ).json()
        if answer.get("errors"):
            raise OperationError(answer["errors"])
        return answer["data"]

    def pipeline(self) -> dict[str, Any]:
        fields = "state asOf freshnessSeconds rejectFlood entries rejected rejectedByReason { reason count }"
        body: dict[str, Any] = self.ask(f"{{ pipeline {{ {fields} }} }}")["pipeline"]
        return body

    def metrics(self) -> str:
        """The pipeline's metrics in Prometheus' text format."""
        url = f"http://127.0.0.1:{PORTS['STACK_METRICS_PORT']}/metrics"
        return httpx.get(url, timeout=10, trust_env=False).text

    def wait_complete(self, instant_ms: int, limit_s: float = 120) -> None:
        """Wait until answers hold all that reached `transactions` before `instant_ms`."""

        def reached() -> bool:
            try:
                return parse_ms(self.pipeline()["asOf"]) >= instant_ms
            except (OperationError, httpx.HTTPError):
                return False

        wait_until(reached, limit_s, "answers do not hold yet what was sent")
        self.complete_ms = max(self.complete_ms, instant_ms)

    def _ask_complete(self, **variables: Any) -> dict[str, Any]:
        """`TOP` for an account, answered with all that was waited for: a ready answer may be older."""
        found: dict[str, Any] = {}

        def is_complete() -> bool:
            found.update(self.ask(TOP, **variables)["account"])
            return all(parse_ms(part["asOf"]) >= self.complete_ms for part in found.values())

        wait_until(is_complete, 30, "an answer stays older than what was waited for")
        return found

    def assert_exact(self, accounts: list[str], window: tuple[int, int]) -> None:
        """Every total and top-10 of these accounts equals the ledger's, to the last digit."""
        bounds = {"start": to_rfc3339(window[0]), "end": to_rfc3339(window[1])}
        for account in accounts:
            for direction in DIRECTIONS:
                for order_by in ("TRANSACTION_AMOUNT", "TRANSACTION_COUNT"):
                    data = self._ask_complete(
                        id=account,
                        window={"between": bounds},
                        direction=direction,
                        orderBy=order_by,
                    )
                    expected = self.ledger.top(account, direction, order_by, 10, window)
                    where = f"{account!r} {direction} by {order_by}"
                    assert _top(data["topCounterparties"]) == expected, where
                    assert _measures(data["totals"]) == expected["total"], where
                    assert data["topCounterparties"]["exact"], where
                    assert data["totals"]["exact"], where


def _top(answer: dict[str, Any]) -> dict[str, Any]:
    rows = answer["rows"]
    assert [row["rank"] for row in rows] == list(range(1, len(rows) + 1))
    return {
        "rows": [
            (row["accountId"], row["transactionCount"], Fraction(row["transactionAmount"]))
            for row in rows
        ],
        "others": _measures(answer["others"]),
        "total": _measures(answer["total"]),
    }


def _measures(answer: dict[str, Any]) -> tuple[int, Fraction, int]:
    return (
        answer["transactionCount"],
        Fraction(answer["transactionAmount"]),
        answer["counterpartyCount"],
    )


def wait_until(condition: Condition, limit_s: float, complaint: str) -> None:
    """Wait for a condition with a deadline; fail with `complaint` when it passes."""
    deadline = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline, f"{complaint} after {limit_s:.0f} s"
        time.sleep(0.25)


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def parse_ms(instant: str) -> int:
    """Epoch milliseconds of an RFC 3339 instant."""
    return round(datetime.fromisoformat(instant).timestamp() * 1000)


def to_rfc3339(epoch_ms: int) -> str:
    seconds, milliseconds = divmod(epoch_ms, 1000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{milliseconds:03d}Z"
