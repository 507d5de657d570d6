"""Events a second through the Flink job: a backlog is sent, and the job's committed offsets are watched.

The CPU time is that of the task manager and its Python workers: events a second of it are what one core
does, however busy the machine is otherwise. `./dev bench state` goes on to more ids than can be sent here.
"""

from __future__ import annotations

import argparse
import os
import time
from typing import Any

import httpx
import psutil
from confluent_kafka import Producer

from local_stack import run_file
from local_stack.environment import from_environment
from local_stack.settings import StackSettings
from stream_jobs.topics.kafka_offsets import KafkaOffsets
from stream_jobs.topics.names import NAMES
from tests.load.events import events

TOPIC = "transactions"
LIMIT_S = 600


def measure(arguments: list[str]) -> dict[str, Any]:
    """Figures of one run against the running stack; start it with `./dev up --no-load`."""
    options = parser().parse_args(arguments)
    stack = from_environment(os.environ)
    kafka = stack.kafka_servers
    offsets = KafkaOffsets(kafka, NAMES.group)
    made = events(options.events, options.seed)
    producer = Producer(
        {
            "bootstrap.servers": kafka,
            "compression.type": "lz4",
            "linger.ms": 20,
            "queue.buffering.max.messages": len(made) + 1,
        }
    )
    cpu_before_s = _cpu_s(stack)
    before = sum(offsets.committed(TOPIC).values())
    began = time.monotonic()
    for event in made:
        producer.produce(TOPIC, event)
    assert producer.flush(LIMIT_S) == 0
    sent = time.monotonic()
    seen = [(sent, sum(offsets.committed(TOPIC).values()) - before)]
    while seen[-1][1] < len(made):
        if time.monotonic() > began + LIMIT_S:
            raise TimeoutError(f"{seen[-1][1]} of {len(made)} events after {LIMIT_S} s")
        time.sleep(0.2)
        seen.append((time.monotonic(), sum(offsets.committed(TOPIC).values()) - before))
    ended = seen[-1][0]
    cpu_s = _cpu_s(stack) - cpu_before_s
    return {
        "events": len(made),
        "seed": options.seed,
        "sending_s": round(sent - began, 1),
        "events_per_s_from_first_sent_to_last_committed": round(len(made) / (ended - began)),
        "events_per_s_after_sending": round((len(made) - seen[0][1]) / (ended - sent)),
        "events_per_cpu_s": round(len(made) / cpu_s),
        **_state(stack),
    }


def parser() -> argparse.ArgumentParser:
    """Its options."""
    parser = argparse.ArgumentParser(prog="./dev bench job", description=measure.__doc__)
    parser.add_argument("--events", type=int, default=500_000)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 2**31)
    return parser


def _cpu_s(stack: StackSettings) -> float:
    """CPU seconds of the task manager and its Python workers so far."""
    run = run_file.live(stack.run_file)
    if run is None:
        raise SystemExit("No stack is up: ./dev up --no-load")
    manager = psutil.Process(run.parts["flink_taskmanager"].process.pid)
    times = [each.cpu_times() for each in (manager, *manager.children(recursive=True))]
    return sum(each.user + each.system for each in times)


def _state(stack: StackSettings) -> dict[str, Any]:
    """Size and duration of the job's newest checkpoint."""
    rest = httpx.Client(base_url=stack.flink_url, timeout=10, trust_env=False)
    jobs = rest.get("/jobs/overview").json()["jobs"]
    job = next(job["jid"] for job in jobs if job["state"] == "RUNNING")
    last = rest.get(f"/jobs/{job}/checkpoints").json()["latest"]["completed"]
    return {"state_bytes": last["state_size"], "checkpoint_ms": last["end_to_end_duration"]}
