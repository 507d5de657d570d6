"""Who was erased, as it is told in `erasures`: read as far as it goes, or followed by a worker of the job."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from confluent_kafka import KafkaException

from stream_jobs.events.erased_accounts import Erased, Names, read_key
from stream_jobs.topics.kafka_offsets import KafkaOffsets, KafkaOffsetsError
from stream_jobs.topics.kafka_topics import KafkaTopics
from stream_jobs.topics.read_on import Readable, ReadOn

LOOK_EVERY_S: Final = 5.0
# Longer than a topic's leader takes to move: then the worker fails rather than let pass what it does not know of.
UNHEARD_S: Final = 45.0

log = logging.getLogger("erasures")


class Erasures:
    """The records of one topic of erasures."""

    def __init__(self, kafka: Readable, topic: str, key: bytes) -> None:
        self.accounts = Erased(key)
        self.read_on = ReadOn(
            kafka, topic, lambda each: self.accounts.take(each.value or b"", each.time_ms)
        )


class UnheardError(Exception):
    """For too long Kafka has not said whether another account was erased."""


class FollowedErasures:
    """Read whole when it is made, then looked at every few seconds in a thread of its own."""

    def __init__(self, erasures: Erasures, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._erasures = erasures
        self._monotonic = monotonic
        self._ended = threading.Event()
        erasures.read_on()
        # The first reading may take longer than any later one.
        self._heard_s = monotonic()
        if untagged := erasures.accounts.untagged:
            log.warning(
                "%d accounts were erased before their records had tags, and are not known by their ids: "
                "./dev erase ID --apply gives them one",
                untagged,
            )
        self._thread = threading.Thread(target=self._follow, name="erasures", daemon=True)
        self._thread.start()

    def names(self, account_ids: Iterable[str]) -> Names:
        """Those that were erased. Raises UnheardError."""
        if self._monotonic() - self._heard_s > UNHEARD_S:
            raise UnheardError(f"nothing was heard of erasures for {UNHEARD_S:.0f} s")
        return self._erasures.accounts.names(account_ids)

    def close(self) -> None:
        """Follow no longer."""
        self._ended.set()

    def look(self) -> None:
        """Take what is new, if Kafka tells."""
        begun_s = self._monotonic()
        try:
            self._erasures.read_on()
        except (KafkaOffsetsError, KafkaException) as fault:
            log.warning("cannot follow erasures: %s", fault)
        else:
            self._heard_s = begun_s

    def _follow(self) -> None:
        while not self._ended.wait(LOOK_EVERY_S):
            self.look()


def followed(kafka_servers: str, topic: str, group: str, key: Path) -> FollowedErasures:
    """On a real cluster, in the job's worker. Raises AccessError for a key that cannot be read, and KafkaOffsetsError."""
    kafka = KafkaTopics(kafka_servers, KafkaOffsets(kafka_servers, group))
    return FollowedErasures(Erasures(kafka, topic, read_key("--erasure-key", key)))
