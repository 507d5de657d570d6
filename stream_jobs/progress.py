"""The progress tracker's process: looks, and publishes what is proven to `pipeline-progress`.

Before each look it sends a heartbeat. Flink's Kafka source commits offsets in the thread that polls, and a
poll that finds nothing lasts 10 s: without heartbeats a quiet topic would be known to be finished 10 s late.
"""

from __future__ import annotations

import argparse
import json
import logging
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from confluent_kafka import KafkaException, Producer

from stream_jobs.job_metrics import Newest, serve, watch
from stream_jobs.job_settings import CONSUMER_GROUP, HEARTBEAT_TOPIC
from stream_jobs.job_watch import JobWatch
from stream_jobs.json_http import JsonHttp, JsonHttpError
from stream_jobs.kafka_offsets import KafkaOffsets, KafkaOffsetsError
from stream_jobs.pinot_served import HttpPinotServed, NotServedError
from stream_jobs.progress_tracker import NotProvenError, Progress, Tracker

PROGRESS_TOPIC = "pipeline-progress"
LOOK_EVERY_S = 0.2
PUBLISH_TIMEOUT_S = 5.0

log = logging.getLogger("progress")


class PublishError(Exception):
    """Kafka did not acknowledge a record in time."""


# What a look or a publication may end with while parts are down or start anew; ValueError, KeyError
# and TypeError are answers of a shape that Pinot gives while it starts.
FAULTS = (
    JsonHttpError,
    KafkaOffsetsError,
    NotServedError,
    NotProvenError,
    PublishError,
    KafkaException,
    ValueError,
    KeyError,
    TypeError,
)


def record_value(progress: Progress, recorded_at_ms: int) -> bytes:
    """The record of `pipeline-progress`; `entry_docs` is JSON text, which Pinot keeps as a string."""
    value = {
        "as_of_ms": progress.as_of_ms,
        "entry_docs": json.dumps(progress.entry_docs, separators=(",", ":")),
        "rejected_docs": progress.rejected_docs,
        "recorded_at_ms": recorded_at_ms,
    }
    return json.dumps(value).encode()


class Publisher(Protocol):
    """Where the process writes to."""

    def heartbeat(self) -> None:
        """One empty record into every kafka partition of `pipeline-heartbeat`."""

    def publish(self, value: bytes) -> None:
        """One record of `pipeline-progress`, acknowledged."""


class KafkaPublisher:
    """A `Publisher` to a real cluster."""

    def __init__(self, kafka_servers: str) -> None:
        self._heartbeat_partitions: tuple[int, ...] = ()
        self._producer = Producer(
            {
                "bootstrap.servers": kafka_servers,
                "log_level": 0,
                "acks": "all",
                "linger.ms": 0,
                # A record that waits out an outage would be published late, but it would still be true.
                "message.timeout.ms": round(PUBLISH_TIMEOUT_S * 1000),
            }
        )

    def heartbeat(self) -> None:
        """Does not wait: the next heartbeat stands in for a lost one."""
        if not self._heartbeat_partitions:
            topics = self._producer.list_topics(timeout=PUBLISH_TIMEOUT_S).topics
            if HEARTBEAT_TOPIC in topics:
                self._heartbeat_partitions = tuple(topics[HEARTBEAT_TOPIC].partitions)
        for partition in self._heartbeat_partitions:
            self._producer.produce(HEARTBEAT_TOPIC, b"", partition=partition)
        self._producer.poll(0)

    def publish(self, value: bytes) -> None:
        """Raises PublishError if Kafka does not acknowledge within 5 s."""
        self._producer.produce(PROGRESS_TOPIC, value)
        if self._producer.flush(PUBLISH_TIMEOUT_S):
            raise PublishError(f"{PROGRESS_TOPIC}: no acknowledgement in {PUBLISH_TIMEOUT_S} s")


def run(
    tracker: Tracker,
    publisher: Publisher,
    clock_ms: Callable[[], int],
    stop: threading.Event,
) -> None:
    """Looks every 200 ms until `stop` is set; a fault is one line in the log, when it begins and ends."""
    fault = ""
    while not stop.wait(LOOK_EVERY_S):
        try:
            publisher.heartbeat()
            progress = tracker.look()
            if progress is not None:
                publisher.publish(record_value(progress, clock_ms()))
        except FAULTS as error:
            told, fault = fault, f"{type(error).__name__}: {error}"
            if fault != told:
                # Handing a segment over to the next is Pinot's daily work.
                level = logging.INFO if isinstance(error, NotServedError) else logging.WARNING
                log.log(level, "not proven: %s", fault)
        else:
            if fault and progress is not None:
                log.info("proven again up to %d ms", progress.as_of_ms)
                fault = ""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs until SIGTERM or SIGINT; exit code 2 for a wrong argument."""
    parser = argparse.ArgumentParser(prog="python -m stream_jobs.progress", description=__doc__)
    parser.add_argument("--kafka", required=True, metavar="SERVERS", help="host:port,…")
    parser.add_argument("--group", default=CONSUMER_GROUP, help="the job's consumer group")
    parser.add_argument("--controller", required=True, metavar="URL", help="Pinot's controller")
    parser.add_argument("--broker", required=True, metavar="URL", help="Pinot's broker")
    parser.add_argument(
        "--flink", metavar="URL", help="Flink's REST API, to tell metrics of the job"
    )
    parser.add_argument("--metrics-host", default="127.0.0.1")
    parser.add_argument("--metrics-port", type=int, help="where Prometheus may ask for the metrics")
    options = parser.parse_args(arguments)
    logging.basicConfig(
        level=logging.INFO,
        format="%(asctime)s %(levelname)s %(name)s %(message)s",
        stream=sys.stderr,
    )
    try:
        pinot = HttpPinotServed(options.controller, options.broker)
    except ValueError as mistake:
        parser.error(str(mistake))
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    if options.metrics_port is not None and options.flink:
        _tell_metrics(options, stop)
    tracker = Tracker(KafkaOffsets(options.kafka, options.group), pinot, now_ms)
    run(tracker, KafkaPublisher(options.kafka), now_ms, stop)
    return 0


def _tell_metrics(options: argparse.Namespace, stop: threading.Event) -> None:
    """Watch the job and answer Prometheus, in threads beside the tracker's."""
    newest = Newest()
    # Connections of its own: neither these nor the tracker's may be used by two threads.
    watched = JobWatch(
        JsonHttp(options.flink),
        JsonHttp(options.broker),
        KafkaOffsets(options.kafka, options.group),
    )
    serve(options.metrics_host, options.metrics_port, newest)
    arguments = (watched, newest, now_ms, stop, FAULTS)
    threading.Thread(target=watch, args=arguments, name="watch", daemon=True).start()


def now_ms() -> int:
    """Milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


if __name__ == "__main__":
    sys.exit(main())
