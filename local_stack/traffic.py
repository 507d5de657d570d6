"""Sample traffic: transfers between Zipf-distributed accounts, with duplicates, reversals and a little garbage."""

from __future__ import annotations

import argparse
import heapq
import itertools
import json
import random
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from confluent_kafka import KafkaError, Message

from stream_jobs.topics.access import checked
from stream_jobs.topics.clients import explained, producer

TOPIC = "transactions"
ACCOUNTS = 20_000
MERCHANTS = (
    "merchant-bakery-on-main",
    "merchant-bluebird-coffee",
    "merchant-city-transit",
    "merchant-corner-pharmacy",
    "merchant-evergreen-energy",
    "merchant-harbour-books",
    "merchant-night-market",
    "merchant-sunrise-groceries",
)
DUPLICATE_SHARE = 0.05
LATE_SHARE_OF_DUPLICATES = 0.3
LATEST_DUPLICATE_S = 60.0
GARBAGE_SHARE = 0.002
REVERSAL_SHARE = 0.002
# Of the reversals: sent before their transfers, and with another amount, which is rejected.
EARLY_SHARE_OF_REVERSALS = 0.2
WRONG_SHARE_OF_REVERSALS = 0.05
TICK_S = 0.02


@dataclass(frozen=True, slots=True)
class Event:
    """One record of the topic; a key of its own keeps an event and its duplicates in order."""

    key: str
    value: bytes | None


class Traffic:
    """An endless, seeded choice of events."""

    def __init__(self, seed: int | None = None) -> None:
        self._random = random.Random(seed)  # noqa: S311 # sample data
        self._accounts = [f"acct-{number:06d}" for number in range(1, ACCOUNTS + 1)]
        self._account_weights = _zipf(ACCOUNTS, 1.05)
        self._merchant_weights = _zipf(len(MERCHANTS), 1.0)
        self._recent: deque[Event] = deque(maxlen=2_000)
        self._late: list[tuple[float, int, Event]] = []
        self._serial = itertools.count()

    def events(self, count: int, now_s: float) -> Iterator[Event]:
        """`count` events: new ones, duplicates of recent ones, late ones that are due, reversals, garbage."""
        chance = self._random.random
        payers = self._random.choices(self._accounts, cum_weights=self._account_weights, k=count)
        payees = self._random.choices(self._accounts, cum_weights=self._account_weights, k=count)
        for payer, payee in zip(payers, payees, strict=True):
            if self._late and self._late[0][0] <= now_s:
                yield heapq.heappop(self._late)[2]
            elif self._recent and chance() < DUPLICATE_SHARE * (1 - LATE_SHARE_OF_DUPLICATES):
                yield self._random.choice(self._recent)
            elif chance() < GARBAGE_SHARE:
                yield Event(payer, self._random.choice(GARBAGE)(self._transfer(payer, payee)))
            elif self._recent and chance() < REVERSAL_SHARE:
                yield self._reversal(Event(payer, self._transfer(payer, payee)), now_s)
            else:
                yield self._new(payer, payee, now_s)

    def put_off(self) -> Iterator[Event]:
        """What is to come later, now: late duplicates, and transfers whose reversals wait for them."""
        while self._late:
            yield heapq.heappop(self._late)[2]

    def _new(self, payer: str, payee: str, now_s: float) -> Event:
        if self._random.random() < 0.4:
            payee = self._random.choices(MERCHANTS, cum_weights=self._merchant_weights)[0]
        event = Event(payer, self._transfer(payer, payee))
        self._recent.append(event)
        if self._random.random() < DUPLICATE_SHARE * LATE_SHARE_OF_DUPLICATES:
            due_s = now_s + self._random.uniform(1.0, LATEST_DUPLICATE_S)
            heapq.heappush(self._late, (due_s, next(self._serial), event))
        return event

    def _reversal(self, fresh: Event, now_s: float) -> Event:
        """Of a recent transfer, or of `fresh`, which then comes a little later."""
        undone = fresh
        if self._random.random() < EARLY_SHARE_OF_REVERSALS:
            due_s = now_s + self._random.uniform(0.1, 2.0)
            heapq.heappush(self._late, (due_s, next(self._serial), fresh))
        else:
            undone = self._random.choice(self._recent)
        said = json.loads(undone.value or b"{}")
        said |= {"type": "reversal", "reverses": said["transaction_id"]}
        said["transaction_id"] = self._transaction_id()
        if self._random.random() < WRONG_SHARE_OF_REVERSALS:
            said["amount"] = "0.01"
        return Event(undone.key, json.dumps(said).encode())

    def _transaction_id(self) -> str:
        digits = f"{self._random.getrandbits(128):032x}"
        return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"

    def _transfer(self, payer: str, payee: str) -> bytes:
        transaction_id = self._transaction_id()
        # Every part is plain ASCII without quotes: formatting is ten times cheaper than json.dumps.
        return (
            f'{{"from_account_id":"{payer}","to_account_id":"{payee}",'
            f'"transaction_id":"{transaction_id}","amount":"{self._amount()}"}}'
        ).encode()

    def _amount(self) -> str:
        cents = int(self._random.paretovariate(1.1) * 500)
        if self._random.random() < 0.02:
            return f"{cents // 100}.{self._random.randrange(10**8):08d}"
        return f"{cents // 100}.{cents % 100:02d}"


def _zipf(count: int, exponent: float) -> list[float]:
    return list(itertools.accumulate(1 / rank**exponent for rank in range(1, count + 1)))


def _changed(**fields: object) -> Callable[[bytes], bytes]:
    return lambda good: json.dumps({**json.loads(good), **fields}).encode()


# Each makes of a good event one that must be rejected.
GARBAGE: tuple[Callable[[bytes], bytes | None], ...] = (
    lambda _: None,
    lambda _: b"",
    lambda _: b"ping",
    lambda _: b"\xff\xfe\x00 not text",
    lambda good: good[: len(good) // 2],
    lambda good: b"[" + good + b"]",
    lambda good: good + b" " * 16_384,
    _changed(amount=12.5),
    _changed(amount="-5"),
    _changed(amount="0.00"),
    _changed(amount="1,000.00"),
    _changed(transaction_id="not-a-uuid"),
    _changed(from_account_id=""),
    _changed(to_account_id="acct\u0000"),
    _changed(type="chargeback"),
    _changed(type="reversal", reverses="not-a-uuid"),
)


def run(
    produce: Callable[[Event], None], traffic: Traffic, rate: float, stop: threading.Event
) -> int:
    """Produces `rate` events a second until `stop`; what a pause held up is made up for. Returns how many.

    Then comes what was put off: without it reversals would wait for ever.
    """
    started_s = time.monotonic()
    sent = 0
    while not stop.wait(TICK_S):
        now_s = time.monotonic()
        for event in traffic.events(int((now_s - started_s) * rate) - sent, now_s):
            produce(event)
            sent += 1
            if stop.is_set():
                break
    for event in traffic.put_off():
        produce(event)
        sent += 1
    return sent


class KafkaTopic:
    """The topic to produce to; a full queue (Kafka is away) waits."""

    def __init__(self, kafka_servers: str, stop: threading.Event) -> None:
        self._stop = stop
        self._told = ""
        self._producer = producer(
            kafka_servers,
            {
                "partitioner": "murmur2_random",
                "linger.ms": 5,
                "compression.type": "lz4",
                "enable.idempotence": True,
            },
        )

    def __call__(self, event: Event) -> None:
        """Queues one event; once it is to stop, only if there is room."""
        while True:
            try:
                self._producer.produce(
                    TOPIC, key=event.key, value=event.value, on_delivery=self._note
                )
            except BufferError:
                if self._stop.is_set():
                    return
                self._producer.poll(0.1)
            else:
                self._producer.poll(0)
                return

    def _note(self, error: KafkaError | None, _message: Message) -> None:
        if error is not None and (why := explained(self._producer, error)) != self._told:
            self._told = why
            print(f"traffic: an event was not taken: {why}", file=sys.stderr)

    def close(self) -> None:
        """Waits up to 5 s for what is queued."""
        self._producer.flush(5)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="python -m local_stack.traffic", description=__doc__)
    parser.add_argument("--kafka", required=True, metavar="SERVERS", help="host:port,…")
    parser.add_argument("--rate", type=float, default=200.0, help="events a second")
    parser.add_argument("--seed", type=int, help="the same seed sends the same events: once only")
    options = parser.parse_args(arguments)
    checked(parser, options.kafka)
    if options.rate <= 0:
        parser.error("--rate must be above 0")
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    topic = KafkaTopic(options.kafka, stop)
    sent = run(topic, Traffic(options.seed), options.rate, stop)
    topic.close()
    print(f"{sent} events sent")
    return 0


if __name__ == "__main__":
    sys.exit(main())
