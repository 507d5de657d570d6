"""Which of several audits tells what it found: all of them follow everything, one publishes.

So the one that takes over says at once what it has seen itself. What only the other one can know, that Pinot was seen to
differ in hours which come round once in days, it takes from the other's last record, until it has looked there itself.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final, Protocol

from stream_jobs.topics.fenced import EndedError, FencedError, FencedPublisher
from stream_jobs.topics.lease import Lease, Silence

log = logging.getLogger("audit")


class Duty(Protocol):
    """Whether this audit tells, and where to."""

    @property
    def active(self) -> bool:
        """Whether it does."""

    def look(self) -> None:
        """See whether it still does, or does now; all the time."""

    def publish(self, value: bytes) -> None:
        """One record, if it does."""

    def pinot_answered(self, *, answered: bool) -> None:
        """What became of a look at Pinot; from any thread."""

    def close(self) -> None:
        """Leave it to another."""


class Alone:
    """The only audit, which always tells."""

    active: Final = True

    def __init__(self, send: Callable[[bytes], None]) -> None:
        self._send = send

    def look(self) -> None:
        """Nothing can change."""

    def publish(self, value: bytes) -> None:
        """One record."""
        self._send(value)

    def pinot_answered(self, *, answered: bool) -> None:
        """No other could have its turn."""

    def close(self) -> None:
        """There is no other."""


class OneOfSeveral:
    """Tells while it has the lease.

    `make` makes what it then publishes by, and `taken_over` is told when nobody else can publish any more.
    """

    def __init__(
        self,
        lease: Lease,
        topic: str,
        make: Callable[[], FencedPublisher],
        taken_over: Callable[[], None],
    ) -> None:
        self._lease = lease
        self._topic = topic
        self._make = make
        self._taken_over = taken_over
        self._number = 0
        self._publisher: FencedPublisher | None = None
        self._silence = Silence()

    @property
    def active(self) -> bool:
        """Whether it has the lease, and all who had it before are ended."""
        return self._publisher is not None

    def look(self) -> None:
        """Begin or end with the lease. What `taken_over` raises is raised, and all is tried again at the next look."""
        number = self._lease.term()
        if number == self._number:
            if self.active and self._silence.is_long:
                log.warning("Pinot does not answer: it is another audit's turn")
                self._give_up()
            return
        self._publisher, self._number = None, 0
        if number:
            publisher = self._make()
            try:
                publisher.begin()
            except EndedError as ended:
                log.warning("cannot take over: %s", ended)
                return
            self._taken_over()
            # It may have been paused since it was asked.
            if self._lease.term() == number:
                self._publisher, self._number, self._silence = publisher, number, Silence()

    def publish(self, value: bytes) -> None:
        """One record, if it is this one's turn. Raises PublishError if Kafka surely has not got it."""
        if self._publisher is None:
            return
        try:
            self._publisher.publish(self._topic, value)
        except EndedError as ended:
            log.warning("publishes no more: %s", ended)
            if isinstance(ended, FencedError):
                self._give_up()
            else:
                self._publisher, self._number = None, 0

    def pinot_answered(self, *, answered: bool) -> None:
        """What became of a look; where none gets through for long, another tells."""
        self._silence.note(answered=answered)

    def _give_up(self) -> None:
        self._publisher, self._number = None, 0
        self._lease.give_up()

    def close(self) -> None:
        """Leave it to another, at once."""
        self._publisher = None
        self._lease.close()


class Quieter(logging.Filter):
    """Of an audit that stands by, findings are no errors in its log: the one that tells has them, too."""

    def __init__(self, active: Callable[[], bool]) -> None:
        super().__init__()
        self._active = active

    def filter(self, record: logging.LogRecord) -> bool:
        if hasattr(record, "findings") and not self._active():
            record.levelno, record.levelname = logging.INFO, "INFO"
            record.msg = f"{record.msg}, which another audit tells"
        return True
