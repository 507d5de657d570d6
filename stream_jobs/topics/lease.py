"""Which of several equal processes works: whoever Kafka has given the only kafka partition of a topic, as a consumer group.

The group's coordinator counts the time, so no clock of ours matters: a member that it has not heard of for the session
timeout is out, one that leaves is out at once, and the next one is in. What a member believes may be old all the same,
after a pause: what it writes must be fenced (fenced.py).
"""

from __future__ import annotations

import argparse
import logging
import threading
import time
from collections.abc import Callable
from typing import Final

from confluent_kafka import Consumer, TopicPartition

from stream_jobs.topics.clients import consumer, explained

# Kafka's own least is 6 s. A broker that dies is found to be dead after 9 s, and its groups are with another then.
SESSION_S: Final = 10
LEAST_S: Final = 6
HEARTBEAT_MS: Final = 1_000
# A process whose loop does not come round for so long is out as well, though its client's threads live.
LONGEST_TURN_MS: Final = 60_000
POLL_S: Final = 0.2
# Kafka hears of a process that reaches nothing else: after this it gives the lease up, since another may reach it.
SILENT_S: Final = 30.0
# Who gives it up stays out for some heartbeats: of two that join at once it might be given the lease again.
OUT_S: Final = 5.0

log = logging.getLogger("lease")


def add_lease_argument(parser: argparse.ArgumentParser) -> None:
    """`--lease [SECONDS]`; without it the process is the only one, and always works."""
    parser.add_argument(
        "--lease",
        type=_seconds,
        nargs="?",
        const=SESSION_S,
        metavar="SECONDS",
        help="it is one of several, of which one works; another takes over from one that Kafka has not "
        f"heard of for so long ({SESSION_S} if no number is given)",
    )


def _seconds(text: str) -> int:
    if not (text.isdecimal() and LEAST_S <= int(text) <= LONGEST_TURN_MS // 1000):
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a number of seconds from {LEAST_S} to {LONGEST_TURN_MS // 1000}"
        )
    return int(text)


def member_of(kafka_servers: str, group: str, session_s: int = SESSION_S) -> Consumer:
    """A member of the group, not yet subscribed. Raises AccessError for settings that cannot work."""
    return consumer(
        kafka_servers,
        {
            "group.id": group,
            # Who has the lease keeps it when another one joins. All versions of a group must name the same.
            "partition.assignment.strategy": "cooperative-sticky",
            "session.timeout.ms": 1000 * session_s,
            "heartbeat.interval.ms": HEARTBEAT_MS,
            "max.poll.interval.ms": LONGEST_TURN_MS,
            # Nothing is read and nothing committed: it is only about who has the partition.
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "auto.offset.reset": "latest",
        },
    )


class Lease:
    """One member's view of who works, all from one thread; `make` makes a member of the group."""

    def __init__(
        self,
        make: Callable[[], Consumer],
        topic: str,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._make = make
        self._topic = topic
        self._monotonic = monotonic
        self._number = 0
        self._held = False
        self._fault = ""
        self._member = make()
        self._out_until_s: float | None = 0.0

    @property
    def is_joined(self) -> bool:
        """Whether the group has taken this process in."""
        return bool(self._member.memberid())

    def term(self, wait_s: float = 0.0) -> int:
        """The number of the term for which this process has the lease; 0: it has not.

        To be called all the time: between two calls there may be a minute at most.
        """
        if self._out_until_s is not None:
            if self._monotonic() < self._out_until_s:
                time.sleep(wait_s)
                return 0
            self._join()
        message = self._member.poll(wait_s)
        error = message.error() if message is not None else None
        if error is not None:
            self._tell(explained(self._member, error))
        return self._number if self._held else 0

    def give_up(self) -> None:
        """Leave the group, so that another takes over at once, and join it again after that."""
        # The next one first: if it cannot be made, this one is still there to be polled.
        following = self._make()
        self.close()
        self._member, self._out_until_s = following, self._monotonic() + OUT_S

    def close(self) -> None:
        """Leave the group."""
        self._held = False
        self._member.close()

    def _join(self) -> None:
        self._out_until_s = None
        self._member.subscribe(
            [self._topic],
            on_assign=self._given,
            on_revoke=self._given_up,
            on_lost=self._lost,
        )

    def _given(self, member: Consumer, partitions: list[TopicPartition]) -> None:
        member.incremental_assign(partitions)
        if partitions:
            member.pause(partitions)
        # Of a topic that was given more kafka partitions, the first one is still the lease.
        if any(each.partition == 0 for each in partitions):
            self._held, self._fault = True, ""
            self._number += 1
            log.info("has the lease of %s", self._topic)

    def _given_up(self, _member: Consumer, partitions: list[TopicPartition]) -> None:
        if any(each.partition == 0 for each in partitions):
            self._held = False

    def _lost(self, member: Consumer, partitions: list[TopicPartition]) -> None:
        self._given_up(member, partitions)
        log.warning("has lost the lease of %s: Kafka had not heard of it in time", self._topic)

    def _tell(self, fault: str) -> None:
        if fault != self._fault:
            self._fault = fault
            log.warning("%s: %s", self._topic, fault)


class Silence:
    """For how long a part that the work needs has not answered, one time after the other."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._since_s: float | None = None

    def note(self, *, answered: bool) -> None:
        """What became of one look."""
        if answered:
            self._since_s = None
        elif self._since_s is None:
            self._since_s = self._monotonic()

    @property
    def is_long(self) -> bool:
        """Whether another should have its turn."""
        return self._since_s is not None and self._monotonic() - self._since_s >= SILENT_S


class Term:
    """The rest of one term, to be waited for as for an event.

    That is set when the lease or the process has ended, or there is a long silence, and the lease is to be given up.
    """

    def __init__(self, lease: Lease, number: int, stop: threading.Event, silence: Silence) -> None:
        self._lease = lease
        self._number = number
        self._stop = stop
        self._silence = silence

    def wait(self, timeout_s: float) -> bool:
        """Wait so long at most; whether it is over."""
        until_s = time.monotonic() + timeout_s
        while not self._stop.is_set() and self._lease.term() == self._number:
            if self._silence.is_long:
                break
            left_s = until_s - time.monotonic()
            if left_s <= 0:
                return False
            self._stop.wait(min(left_s, POLL_S))
        return True
