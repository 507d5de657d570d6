"""A steady flow of events from a process of its own, so that sending neither waits for a benchmark nor slows it.

Records are put together out of ready beginnings and a fresh id: about 6 µs an event with everything that
Kafka's client does, so that the producer is no part of what is measured.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate

from confluent_kafka import Producer

from tests.load.events import ACCOUNTS, DUPLICATE_SHARE

TOPIC = "transactions"
BEGINNINGS = 50_000
# Of Zipf's law: partitions fill at about the same rate, as they do with millions of accounts.
EXPONENT = 0.8
REMEMBERED = 20_000
TICK_S = 0.01


def endless(seed: int) -> Iterator[bytes]:
    """Events over 100,000 accounts, the busiest with 2 % of them; 5 % are duplicates of recent ones."""
    chance = random.Random(seed)
    weights = list(accumulate(1 / rank**EXPONENT for rank in range(1, ACCOUNTS + 1)))
    sides = chance.choices(range(ACCOUNTS), cum_weights=weights, k=2 * BEGINNINGS)
    beginnings = [_beginning(chance, *pair) for pair in zip(sides[::2], sides[1::2], strict=True)]
    recent: list[bytes] = []
    draw, bits = chance.random, chance.getrandbits
    while True:
        again = draw()
        if recent and again < DUPLICATE_SHARE:
            yield recent[int(draw() * len(recent))]
            continue
        digits = f"{bits(128):032x}"
        event = beginnings[int(draw() * BEGINNINGS)] + (
            f'{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"}}'.encode()
        )
        if len(recent) < REMEMBERED:
            recent.append(event)
        elif again < 2 * DUPLICATE_SHARE:
            recent[int(draw() * REMEMBERED)] = event
        yield event


def _beginning(chance: random.Random, payer: int, payee: int) -> bytes:
    amount = f"{chance.randrange(1, 10**7)}.{chance.randrange(100):02d}"
    return (
        f'{{"from_account_id": "bench-{payer:06d}", "to_account_id": "bench-{payee:06d}", '
        f'"amount": "{amount}", "transaction_id": "'
    ).encode()


def send(
    produce: Callable[[bytes], None],
    events: Iterator[bytes],
    rate: int,
    seconds: float,
    monotonic: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> tuple[int, float]:
    """Produce `rate` events a second, each when it is due; how many, and how late the latest was, in seconds."""
    began, sent, latest = monotonic(), 0, 0.0
    whole = round(rate * seconds)
    while sent < whole:
        due = min(whole, int((monotonic() - began) * rate))
        latest = max(latest, (due - sent) / rate - TICK_S)
        while sent < due:
            produce(next(events))
            sent += 1
        sleep(TICK_S)
    return sent, latest


def main(arguments: Sequence[str]) -> int:
    """Send, then print what was sent as JSON."""
    parser = argparse.ArgumentParser(prog="python -m tests.load.flow.sender", description=__doc__)
    parser.add_argument("--kafka", required=True)
    parser.add_argument("--rate", type=int, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--seed", type=int, default=None)
    options = parser.parse_args(arguments)
    producer = Producer(
        {
            "bootstrap.servers": options.kafka,
            "linger.ms": 10,
            "compression.type": "lz4",
            "queue.buffering.max.messages": 2_000_000,
            "log_level": 0,
        }
    )
    topic = TOPIC

    def produce(event: bytes) -> None:
        producer.produce(topic, event)

    events = endless(time.time_ns() if options.seed is None else options.seed)
    next(events)  # the beginnings are made before the clock starts
    began_cpu_s = time.process_time()
    sent, latest_s = send(produce, events, options.rate, options.seconds)
    left = producer.flush(60)
    figures = {
        "sent": sent - left,
        "latest_late_s": round(latest_s, 3),
        "cpu_us_per_event": round((time.process_time() - began_cpu_s) / sent * 1e6, 1),
    }
    print(json.dumps(figures))
    return 1 if left else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
