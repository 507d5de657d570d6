"""Events a second through the Flink job: a backlog is sent, and the job's committed offsets are watched."""

from __future__ import annotations

import argparse
import os
import time
from typing import Any

from confluent_kafka import Producer

from local_stack.settings import from_environment
from stream_jobs.job_settings import CONSUMER_GROUP
from stream_jobs.kafka_offsets import KafkaOffsets
from tests.load.events import events

TOPIC = "transactions"
LIMIT_S = 600


def measure(arguments: list[str]) -> dict[str, Any]:
    """Figures of one run against the running stack; start it with `./dev up --no-load`."""
    parser = argparse.ArgumentParser(prog="./dev bench job", description=measure.__doc__)
    parser.add_argument("--events", type=int, default=500_000)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 2**31)
    options = parser.parse_args(arguments)
    kafka = from_environment(os.environ).kafka_servers
    offsets = KafkaOffsets(kafka, CONSUMER_GROUP)
    made = events(options.events, options.seed)
    producer = Producer(
        {
            "bootstrap.servers": kafka,
            "compression.type": "lz4",
            "linger.ms": 20,
            "queue.buffering.max.messages": len(made) + 1,
        }
    )
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
    return {
        "events": len(made),
        "seed": options.seed,
        "sending_s": round(sent - began, 1),
        "events_per_s_from_first_sent_to_last_committed": round(len(made) / (ended - began)),
        "events_per_s_after_sending": round((len(made) - seen[0][1]) / (ended - sent)),
    }
