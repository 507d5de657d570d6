"""Processes of a benchmark: servers that are started, watched for their CPU and ended, and the sender."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

import httpx
import psutil

from local_stack import run_file
from local_stack.environment import from_environment
from local_stack.run_file import StackRun
from local_stack.settings import CHECKOUT, StackSettings
from tests.load.child_servers import end, free_port, tied
from tests.load.gateway import mix
from tests.load.gateway.orders import Order
from tests.load.results import LOGS

READY_WITHIN_S = 120.0
SENDER_EXTRA_S = 60.0


@dataclass(frozen=True)
class Server:
    """A server under load; `pids` are all the processes whose CPU counts as its."""

    name: str
    port: int
    pids: tuple[int, ...]

    def cpu_s(self) -> float:
        """CPU seconds that its processes and their children have taken so far."""
        return sum(cpu_of(pid) for pid in self.pids)

    def ask(self, body: dict[str, Any]) -> Any:
        """The answer to one operation."""
        url = f"http://127.0.0.1:{self.port}/graphql"
        return httpx.post(url, json=body, timeout=30, trust_env=False).json()

    def metrics(self) -> str:
        """What a gateway counts, as Prometheus' text."""
        url = f"http://127.0.0.1:{self.port}/metrics"
        return httpx.get(url, timeout=30, trust_env=False).text


@contextmanager
def serving(
    name: str, command: Sequence[str], environment: Mapping[str, str] | None = None
) -> Iterator[Server]:
    """A server of its own process group on a free port, which `{port}` in its words stands for."""
    port = free_port()
    raise_file_limit()
    changed = {key: value.format(port=port) for key, value in (environment or {}).items()}
    LOGS.mkdir(parents=True, exist_ok=True)
    with (LOGS / f"{name}.log").open("w") as log:
        process = subprocess.Popen(
            [word.format(port=port) for word in command],
            cwd=CHECKOUT,
            env={**os.environ, **changed},
            stdout=subprocess.DEVNULL,
            stderr=log,
            start_new_session=True,
            preexec_fn=tied,  # noqa: PLW1509 - no thread runs yet
        )
    try:
        server = Server(name, port, (process.pid,))
        _wait_ready(server, process)
        yield server
    finally:
        end(process)


def send(order: Order) -> dict[str, Any]:
    """Run an order in a process of its own; its report."""
    return sent_by(("-m", "tests.load.gateway.sender"), order, asdict(order))


def sent_by(words: Sequence[str], order: Order, given: Mapping[str, Any]) -> dict[str, Any]:
    """Run an order in a Python of these words, which is given JSON; its report."""
    raise_file_limit()
    limit_s = sum(phase.seconds for phase in order.phases) + order.grace_s + SENDER_EXTRA_S
    done = subprocess.run(
        [sys.executable, "-P", *words],
        cwd=CHECKOUT,
        input=json.dumps(given),
        capture_output=True,
        text=True,
        timeout=limit_s,
        check=False,
        preexec_fn=tied,
    )
    if done.returncode:
        raise RuntimeError(f"the load generator failed: {done.stderr[-2000:]}")
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def measured(server: Server, order: Order) -> dict[str, Any]:
    """A run's report with the server's CPU: cores in use, and microseconds a request."""
    before_s = server.cpu_s()
    report = send(order)
    cpu_s = server.cpu_s() - before_s
    answers = sum(
        phase["ok"]["count"] + phase.get("rejected", {"count": 0})["count"]
        for phase in report["phases"]
    )
    seconds = sum(phase.seconds for phase in order.phases)
    report["server_cores"] = round(cpu_s / seconds, 3)
    report["server_cpu_us_per_request"] = round(cpu_s / max(1, answers) * 1e6, 1)
    return report


def running_stack() -> tuple[StackSettings, StackRun]:
    """The stack that runs, with the real Pinot; ends the program with advice if there is none."""
    settings = from_environment(os.environ)
    run = run_file.live(settings.run_file)
    if run is None or run.embedded:
        sys.exit("The stack is down. Start it first: ./dev up --no-load")
    return settings, run


def raise_file_limit() -> None:
    """Let this process and its children open as many connections as the system allows."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _wait_ready(server: Server, process: subprocess.Popen[bytes]) -> None:
    body = mix.body("top_senders", mix.LAST_30_DAYS)
    give_up_s = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < give_up_s:
        if process.poll() is not None:
            raise RuntimeError(f"{server.name} ended at once: see {LOGS / server.name}.log")
        try:
            if server.ask(body).get("data"):
                return
        except (httpx.TransportError, ValueError):
            pass
        time.sleep(0.1)
    raise TimeoutError(
        f"{server.name} does not answer after {READY_WITHIN_S:.0f} s: see {LOGS / server.name}.log"
    )


def cpu_of(pid: int) -> float:
    """CPU seconds that a process and its children have taken so far."""
    try:
        process = psutil.Process(pid)
        family = [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return 0.0
    total = 0.0
    for each in family:
        try:
            times = each.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system
    return total
