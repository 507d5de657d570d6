"""The commands as their users meet them: what they print, how they end, and what they refuse."""

from __future__ import annotations

import json
import socket
import subprocess
from pathlib import Path

import httpx
import psutil
import pytest

from tests.integration.ledger import Transfer, transfers
from tests.integration.running_stack import (
    CHECKOUT,
    PORTS,
    RunningStack,
    now_ms,
    wait_until,
)

DAY_MS = 86_400_000


def test_status_tells_every_part_its_address_state_and_process(stack: RunningStack) -> None:
    body = stack.status()
    assert body["state"] == "running"
    for part in ("gateway", "kafka", "pinot_broker", "pinot_controller", "flink"):
        assert body[part]["state"] == "running"
        assert body[part].get("url") or body[part].get("address")
        assert psutil.pid_exists(body[part]["pid"])
    assert body["flink"]["job"] == "RUNNING"
    shown = stack.dev("status").stdout
    assert "pinot_server" in shown


def test_everything_listens_on_loopback_only(stack: RunningStack) -> None:
    supervisor = psutil.Process(stack.status()["supervisor_pid"])
    addresses = {
        connection.laddr.ip
        for process in supervisor.children(recursive=True)
        for connection in process.net_connections(kind="inet")
        if connection.status == psutil.CONN_LISTEN
    }
    assert addresses
    assert addresses <= {"127.0.0.1", "::1", "::ffff:127.0.0.1"}


def test_a_second_up_says_that_it_is_up_and_changes_nothing(stack: RunningStack) -> None:
    before = stack.status()
    said = stack.dev("up", "--detach")
    assert said.returncode == 0
    assert "already up" in said.stdout
    after = stack.status()
    assert {k: v["pid"] for k, v in before.items() if isinstance(v, dict)} == {
        k: v["pid"] for k, v in after.items() if isinstance(v, dict)
    }


def test_a_taken_port_is_named_with_its_setting(stack: RunningStack, tmp_path: Path) -> None:
    other = RunningStack(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = other_up(other, {"STACK_GATEWAY_PORT": str(port)})
    assert said.returncode == 1
    assert f"Port {port} is taken" in said.stdout
    assert "STACK_GATEWAY_PORT" in said.stdout


def other_up(other: RunningStack, changed: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """`./dev up` of another stack with some settings changed."""
    moved = {name: str(port + 1000) for name, port in PORTS.items()}
    return subprocess.run(
        ["./dev", "up"],
        cwd=CHECKOUT,
        env={**other.environment, **moved, **changed},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({"STACK_KAFKA_PORT": "many"}, "STACK_KAFKA_PORT is 'many'"),
        ({"STACK_KAFKA_PORT": "8000", "STACK_GATEWAY_PORT": "8000"}, "give each its own"),
    ],
)
def test_a_malformed_setting_is_named(
    tmp_path: Path, changed: dict[str, str], complaint: str
) -> None:
    said = other_up(RunningStack(tmp_path), changed)
    assert said.returncode == 2
    assert complaint in said.stdout


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["fly"], "invalid choice"),
        ([], "COMMAND"),
        (["up", "--rate", "many"], "invalid int value"),
        (["up", "--speed", "3"], "unrecognised arguments"),
        (["produce"], "FILE"),
    ],
)
def test_a_wrong_argument_is_explained(
    stack: RunningStack, arguments: list[str], complaint: str
) -> None:
    said = stack.dev(*arguments)
    assert said.returncode == 2
    assert complaint in said.stdout + said.stderr


def test_produce_sends_each_line_and_verify_finds_all_exact(stack: RunningStack) -> None:
    event = {
        "from_account_id": "produced-a",
        "to_account_id": "produced-b",
        "transaction_id": "11111111-2222-4333-8444-555555555555",
        "amount": "12.50",
    }
    said = stack.dev("produce", "-", stdin=json.dumps(event) + "\nnot an event\n")
    assert said.returncode == 0, said.stdout + said.stderr
    stack.ledger.rejected += 1
    stack.ledger.add([Transfer(**event, time_ms=now_ms())])
    verified = stack.dev("verify")
    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert "exact" in verified.stdout


def test_a_missing_file_is_an_error_that_names_it(stack: RunningStack) -> None:
    said = stack.dev("produce", "/no/such/file.jsonl")
    assert said.returncode == 2
    assert "/no/such/file.jsonl" in said.stdout + said.stderr


def test_logs_of_an_unknown_part_name_the_known_ones(stack: RunningStack) -> None:
    said = stack.dev("logs", "nonsense")
    assert said.returncode == 2
    assert "pinot_server" in said.stdout


def test_the_gateway_is_ready_and_shows_its_schema(stack: RunningStack) -> None:
    for path in ("/healthz", "/readyz", "/metrics", "/schema.graphql"):
        assert httpx.get(stack.gateway + path, trust_env=False).status_code == 200, path
    page = httpx.get(stack.gateway + "/graphql", headers={"Accept": "text/html"}, trust_env=False)
    assert "graphiql" in page.text.lower()


def test_the_jobs_metrics_are_there_for_prometheus(stack: RunningStack) -> None:
    url = f"http://127.0.0.1:{PORTS['STACK_METRICS_PORT']}/metrics"

    def told() -> bool:
        lines = httpx.get(url, trust_env=False).text.splitlines()
        return {
            "pipeline_watch_up 1.0",
            "pipeline_job_running 1.0",
            "pipeline_reject_flood 0.0",
        } <= set(lines)

    wait_until(told, 60, "the metrics do not say that the job runs")


def test_pruning_by_partition_changes_no_answer(stack: RunningStack) -> None:
    """A key hashed otherwise than Pinot hashes it would be pruned away without a word."""
    broker = f"http://127.0.0.1:{PORTS['STACK_PINOT_BROKER_PORT']}/query/sql"
    names = [f"pruned-{number}" for number in range(40)]
    some = transfers(13, 400, names, now_ms() - DAY_MS, now_ms())
    accounts = {t.from_account_id for t in some} | {t.to_account_id for t in some}
    stack.ledger.add(some)
    stack.wait_complete(stack.send(t.record() for t in some))

    def rows(condition: str) -> tuple[list[list[object]], int]:
        sql = (
            "SELECT account_id, COUNT(*), SUMPRECISION(amount) FROM account_entries "
            f"WHERE {condition} GROUP BY account_id ORDER BY account_id LIMIT 100000"
        )
        body = httpx.post(broker, json={"sql": sql}, timeout=30, trust_env=False).json()
        assert body["exceptions"] == []
        return body["resultTable"]["rows"], body["numSegmentsQueried"]

    unpruned, all_segments = rows("account_id <> ''")
    chosen = [row for row in unpruned if row[0] in accounts]
    assert len(chosen) == len(accounts)
    for row in chosen:
        pruned, segments = rows(f"account_id = '{row[0]}'")
        assert pruned == [row]
        assert segments < all_segments, "nothing was pruned, so nothing was compared"
