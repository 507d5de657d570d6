"""What runs, where, and how often it was started again; looked at afresh each time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import psutil
from rich.console import Console
from rich.table import Table

from local_stack import pinot_home, processes, run_file
from local_stack.checks import part_checks
from local_stack.run_file import StackRun
from local_stack.settings import StackSettings
from stream_jobs.topics.names import NAMES


def report(settings: StackSettings) -> dict[str, Any]:
    """The state of every part, and the addresses to use: the body of `status --json`."""
    run = run_file.live(settings.run_file)
    if run is None:
        left = processes.owned(str(settings.run_file))
        return {"state": "down", "left_running": [process.pid for process in left]}
    checks = part_checks(settings)
    with ThreadPoolExecutor(max_workers=len(run.parts) + 1) as pool:
        healthy = dict(
            zip(
                run.parts,
                pool.map(lambda name: checks[name](), run.parts),
                strict=True,
            )
        )
    body: dict[str, Any] = {
        "state": run.phase,
        "supervisor_pid": run.supervisor.pid,
        "memory_mb": _memory_mb(run),
    }
    for name, part in run.parts.items():
        alive = part.process.alive()
        state = (
            part.state
            if not alive or part.state != "running"
            else "running"
            if healthy[name]
            else "unhealthy"
        )
        kind = "url" if part.address.startswith("http") else "address"
        body[name] = {
            kind: part.address,
            "state": state if alive else "restarting",
            "pid": part.process.pid,
            "restarts": part.restarts,
        }
    if "flink" in body:
        body["flink"]["job"] = _job_state(settings)
    if "pinot_server" in body:
        body["pinot_version"] = pinot_home.written_by(settings)
    if "kafka" in body:
        body["kafka"]["topics"] = ["transactions", "account-entries", "transactions-rejected"]
    return body


def show(console: Console, settings: StackSettings) -> None:
    """Print the report as a table."""
    body = report(settings)
    if body["state"] == "down":
        console.print("The stack is down. ./dev up starts it.")
        if body["left_running"]:
            count = len(body["left_running"])
            console.print(f"{count} processes of an earlier one still run: ./dev down ends them.")
        return
    table = Table(box=None, pad_edge=False)
    for heading in ("part", "state", "address", "pid", "restarts"):
        table.add_column(heading, justify="right" if heading in ("pid", "restarts") else "left")
    colours = {"running": "green", "starting": "yellow"}
    for name, part in body.items():
        if isinstance(part, dict):
            state = part["state"] + (f" (job {part['job']})" if "job" in part else "")
            colour = colours.get(part["state"], "red")
            where = part.get("url") or part.get("address")
            table.add_row(
                name, f"[{colour}]{state}[/]", where, str(part["pid"]), str(part["restarts"])
            )
    console.print(table)
    version = f", Pinot {body['pinot_version']}" if body.get("pinot_version") else ""
    console.print(
        f"{body['state']}, {body['memory_mb']} MB of memory in all{version}", highlight=False
    )


def _job_state(settings: StackSettings) -> str:
    try:
        jobs = httpx.get(f"{settings.flink_url}/jobs/overview", timeout=2, trust_env=False).json()[
            "jobs"
        ]
    except (httpx.HTTPError, ValueError, KeyError):
        return "UNKNOWN"
    ours = [job for job in jobs if job["name"] == NAMES.job]
    newest = max(ours, key=lambda job: job["start-time"], default=None)
    return str(newest["state"]) if newest else "ABSENT"


def _memory_mb(run: StackRun) -> int:
    """Memory of the supervisor and all its descendants, in MB; shared pages by their share, on Linux."""
    try:
        supervisor = psutil.Process(run.supervisor.pid)
        family = [supervisor, *supervisor.children(recursive=True)]
    except psutil.NoSuchProcess:
        return 0
    total = 0
    for process in family:
        try:
            memory = process.memory_full_info()
            total += getattr(memory, "pss", memory.rss)
        except psutil.Error:
            continue
    return round(total / 1_000_000)
