"""From an event's sending to its being in a GraphQL answer, while other events flow at a steady rate."""

from __future__ import annotations

import argparse
import os
import threading
import time
import uuid
from typing import Any

import httpx
from confluent_kafka import Producer

from local_stack.settings import StackSettings, from_environment
from tests.load.events import events

QUESTION = """
query Probe($id: ID!) {
  account(id: $id) { totals(window: {last: {count: 1, unit: HOUR}}) { transactionCount asOf } }
}
"""


def measure(arguments: list[str]) -> dict[str, Any]:
    """Probes one after the other against the running stack; start it with `./dev up --no-load`."""
    parser = argparse.ArgumentParser(prog="./dev bench freshness", description=measure.__doc__)
    parser.add_argument("--rate", type=int, default=2_000, help="events a second beside the probes")
    parser.add_argument("--seconds", type=int, default=60)
    options = parser.parse_args(arguments)
    settings = from_environment(os.environ)
    stop = threading.Event()
    background = threading.Thread(
        target=_flow, args=(settings, options.rate, options.seconds + 5, stop)
    )
    background.start()
    try:
        time.sleep(5)
        delays, refused = _probe(settings, options.seconds)
    finally:
        stop.set()
        background.join()
    ordered = sorted(delays)
    return {
        "rate": options.rate,
        "probes": len(ordered),
        "refused_answers": refused,
        "p50_s": round(ordered[len(ordered) // 2], 3),
        "p90_s": round(ordered[int(len(ordered) * 0.9)], 3),
        "p99_s": round(ordered[int(len(ordered) * 0.99)], 3),
        "max_s": round(ordered[-1], 3),
    }


def _probe(settings: StackSettings, seconds: int) -> tuple[list[float], int]:
    """Seconds from sending to seeing for each probe, and how many answers were errors meanwhile."""
    producer = Producer({"bootstrap.servers": settings.kafka_servers, "linger.ms": 0})
    account, refused = f"probe-{uuid.uuid4()}", 0
    delays: list[float] = []
    end = time.monotonic() + seconds
    with httpx.Client(base_url=settings.gateway_url, timeout=10, trust_env=False) as client:
        while time.monotonic() < end:
            event = (
                f'{{"from_account_id": "prober", "to_account_id": "{account}", '
                f'"transaction_id": "{uuid.uuid4()}", "amount": "1"}}'
            )
            began = time.monotonic()
            producer.produce("transactions", event.encode())
            producer.flush(10)
            while True:
                body = {"query": QUESTION, "variables": {"id": account}}
                answer = client.post("/graphql", json=body).json()
                refused += bool(answer.get("errors"))
                totals = ((answer.get("data") or {}).get("account") or {}).get("totals")
                if totals and totals["transactionCount"] > len(delays):
                    break
                if time.monotonic() > began + 60:
                    raise TimeoutError(f"not seen after 60 s: {answer}")
                time.sleep(0.02)
            delays.append(time.monotonic() - began)
            # A pause that shares no divisor with the checkpoints', so that probes meet every phase of them.
            time.sleep(0.137)
    return delays, refused


def _flow(settings: StackSettings, rate: int, seconds: int, stop: threading.Event) -> None:
    """Send `rate` events a second at their intended times, in slices of 20 ms."""
    made = events(rate * seconds, time.time_ns() % 2**31)
    producer = Producer(
        {"bootstrap.servers": settings.kafka_servers, "linger.ms": 5, "compression.type": "lz4"}
    )
    began, sent = time.monotonic(), 0
    while not stop.is_set() and sent < len(made):
        due = min(len(made), round((time.monotonic() - began) * rate))
        for event in made[sent:due]:
            producer.produce("transactions", event)
        sent = due
        producer.poll(0)
        stop.wait(0.02)
    producer.flush(30)
