"""The stack secured: the same exact answers, everybody else refused in one clear line, and no secret where it is not needed."""

from __future__ import annotations

import json
import ssl
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from local_stack import secure
from local_stack.authority import Authority
from local_stack.environment import from_environment
from local_stack.settings import StackSettings
from stream_jobs.topics.acls.applying import KafkaAcls
from stream_jobs.topics.acls.rules import Acl, AclChanges
from tests.integration.running_stack import CHECKOUT, PORTS, RunningStack, wait_until

# Beside the stack of the other tests.
OWN_PORTS = {name: port + 2_000 for name, port in PORTS.items()}
OWN_PORTS["STACK_KAFKA_MTLS_PORT"] = 31_094
EVENTS = [
    {
        "from_account_id": payer,
        "to_account_id": "secured-payee",
        "transaction_id": f"5ec0{number:04d}-0000-4000-8000-000000000000",
        "amount": amount,
    }
    for number, (payer, amount) in enumerate(
        [("secured-a", "1.25"), ("secured-b", "10.00000001"), ("secured-a", "2.5")]
    )
]
TOTALS = """query { account(id: "secured-payee") {
  totals(window: {last: {count: 1, unit: DAY}}, direction: RECEIVED) {
    exact transactionCount transactionAmount counterpartyCount } } }"""


class Secured(RunningStack):
    """A secured stack on ports of its own."""

    @property
    def gateway(self) -> str:
        return f"http://127.0.0.1:{OWN_PORTS['STACK_GATEWAY_PORT']}"

    @property
    def local(self) -> StackSettings:
        return from_environment({**self.settings, "STACK_STATE": str(self.state)})

    def produce(
        self, by_certificate: bool = False, **access: str
    ) -> subprocess.CompletedProcess[str]:
        """One event sent as nobody whom `./dev` knows; `access` in place of the producer's."""
        part = "admin" if by_certificate else "producer"
        variables = {**secure.kafka_environment(self.local, part), **access}
        servers = secure.kafka_servers(self.local, part)
        return subprocess.run(
            [sys.executable, "-P", "-m", "stream_jobs.tools.produce", "--kafka", servers, "-"],
            env={**self.environment, "PYTHONPATH": str(CHECKOUT), **variables},
            input=json.dumps({**EVENTS[0]}) + "\n",
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def refusal(self, *, by_certificate: bool = False, **access: str) -> str:
        """The one line that such a sender is refused with."""
        said = self.produce(by_certificate, **access)
        assert said.returncode == 1, said.stdout + said.stderr
        assert len(said.stderr.splitlines()) == 1, said.stderr
        return said.stderr

    def totals(self) -> Any:
        answer = httpx.post(f"{self.gateway}/graphql", json={"query": TOTALS}, timeout=20).json()
        return answer.get("data", {}) and answer["data"]["account"]["totals"]


@pytest.fixture(scope="module")
def secured() -> Iterator[Secured]:
    ports = {name: str(port) for name, port in OWN_PORTS.items()}
    running = Secured(CHECKOUT / ".local" / "secured-test-stack", settings=ports)
    running.dev("down")
    running.up("--fresh", "--secure")
    lines = "".join(json.dumps(event) + "\n" for event in EVENTS)
    sent = running.dev("produce", "-", stdin=lines + lines)  # each twice
    assert sent.returncode == 0, sent.stderr
    yield running
    said = running.dev("down")
    assert said.returncode == 0, said.stdout


def test_each_event_counts_once_on_the_secured_stack(secured: Secured) -> None:
    expected = {
        "exact": True,
        "transactionCount": 3,
        "transactionAmount": "13.75000001",
        "counterpartyCount": 2,
    }
    wait_until(
        lambda: (secured.totals() or {}).get("transactionCount") == 3,
        240,
        "the events are not counted",
    )
    assert secured.totals() == expected
    verified = secured.dev("verify", "--json")
    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert json.loads(verified.stdout)["exact"] is True


def test_all_parts_run_and_listen_on_loopback_only(secured: Secured) -> None:
    body = secured.status()
    states = {name: part["state"] for name, part in body.items() if isinstance(part, dict)}
    assert set(states.values()) == {"running"}, states
    supervisor = psutil.Process(body["supervisor_pid"])
    addresses = {
        connection.laddr.ip
        for process in supervisor.children(recursive=True)
        for connection in process.net_connections(kind="inet")
        if connection.status == psutil.CONN_LISTEN
    }
    assert addresses <= {"127.0.0.1", "::1", "::ffff:127.0.0.1"}


def test_a_wrong_password_is_told_in_one_line(secured: Secured) -> None:
    another = str(secure.files(secured.local).password_file("tools"))
    line = secured.refusal(KAFKA_SASL_PASSWORD_FILE=another)
    assert "refuses to authenticate user producer (SCRAM-SHA-512)" in line
    assert "invalid credentials" in line


def test_an_expired_certificate_is_told_in_one_line(secured: Secured) -> None:
    folder = secure.files(secured.local).folder
    Authority(folder).issue("late", "127.0.0.1", datetime.now(UTC), timedelta(minutes=-1))
    files = {
        "KAFKA_SSL_CERT_FILE": f"{folder}/late.pem",
        "KAFKA_SSL_KEY_FILE": f"{folder}/late.key",
    }
    line = secured.refusal(by_certificate=True, **files)
    assert f"our certificate {folder}/late.pem has expired at " in line


def test_an_acl_less_is_told_in_one_line_and_given_back_by_the_file(
    secured: Secured, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in secure.kafka_environment(secured.local, "admin").items():
        monkeypatch.setenv(name, value)
    servers = secure.kafka_servers(secured.local, "admin")
    acl = Acl("User:producer", "TOPIC", "transactions", "LITERAL", "WRITE")
    KafkaAcls(servers).apply(AclChanges((), (acl,)))
    line = secured.refusal()
    assert "transactions: " in line
    assert "no ACL of user producer (SCRAM-SHA-512) allows this of the topic" in line
    command = [sys.executable, "-P", "-m", "stream_jobs.topics.acls", "--kafka", servers]
    given_back = subprocess.run(
        command, cwd=CHECKOUT, env={**secured.environment, "PYTHONPATH": str(CHECKOUT), **secure.kafka_environment(secured.local, "admin")},
        capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    assert given_back.stdout == f"{acl}: allowed\n"
    assert secured.produce().returncode == 0


def test_pinot_lets_nobody_in_without_a_credential(secured: Secured) -> None:
    local = secured.local
    believed = str(secure.files(local).folder / "ca.pem")
    with httpx.Client(
        verify=ssl.create_default_context(cafile=believed), trust_env=False, timeout=20
    ) as client:
        assert client.get(f"{local.pinot_controller_url}/tables").status_code == 403
        asked = client.post(
            f"{local.pinot_broker_url}/query/sql", json={"sql": "SELECT 1 FROM account_entries"}
        )
        assert [each["errorCode"] for each in asked.json()["exceptions"]] == [180]
        with pytest.raises(httpx.TransportError):  # its server wants a certificate
            client.get(f"{local.pinot_server_admin_url}/tables")


def test_secrets_stand_in_no_log_no_job_and_no_table(secured: Secured) -> None:
    local = secured.local
    passwords = {file.read_bytes() for file in secure.files(local).folder.glob("*.password")}
    assert len(passwords) > 8
    places = [local.logs, local.data / "flink", local.data / "zookeeper", local.run_file.parent]
    holding = [
        str(file)
        for place in places
        for file in place.rglob("*")
        if file.is_file() and any(each in file.read_bytes() for each in passwords)
    ]
    assert holding == []
    modes = {path: path.stat().st_mode & 0o077 for path in _private(local)}
    assert set(modes.values()) == {0}, modes


def _private(local: StackSettings) -> list[Path]:
    return [*secure.files(local).folder.iterdir(), *local.rendered.glob("pinot-*.properties")]
