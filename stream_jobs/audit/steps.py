"""What the audit does now and then, in its own thread or beside it, through faults of the parts it asks."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Final

from stream_jobs.progress.faults import KAFKA_FAULTS, PINOT_FAULTS

RETRY_S: Final = 0.5

log = logging.getLogger("audit")


class Steps:
    """What is done now and then; of `faults` each is one line when it begins and one when it ends, others are raised."""

    def __init__(self, monotonic: Callable[[], float], faults: tuple[type[Exception], ...]) -> None:
        self._monotonic = monotonic
        self._expected = faults
        self._due_s: dict[str, float] = {}
        self._faults: dict[str, str] = {}

    def run(self, name: str, every_s: float, step: Callable[[], object]) -> None:
        """Do `step` unless it was done within `every_s`."""
        now_s = self._monotonic()
        if now_s < self._due_s.get(name, 0.0):
            return
        self._due_s[name] = now_s + every_s
        try:
            more = step()
        except self._expected as fault:
            said = f"{type(fault).__name__}: {fault}"
            self._due_s[name] = now_s + max(every_s, RETRY_S)
            if self._faults.get(name) != said:
                self._faults[name] = said
                log.warning("cannot %s: %s", name, said)
        else:
            if more is True:
                self._due_s[name] = 0.0
            if self._faults.pop(name, None):
                log.info("can %s again", name)

    def due_in_s(self, name: str) -> float:
        """Until a step is to be done once more."""
        return max(0.0, self._due_s.get(name, 0.0) - self._monotonic())


class Beside:
    """One step, over and over in a thread of its own until `stop` is set: what waits there keeps no other from its work."""

    def __init__(
        self,
        name: str,
        every_s: Callable[[], float],
        step: Callable[[], object],
        stop: threading.Event,
    ) -> None:
        self._name = name
        self._every_s = every_s
        self._step = step
        self._stop = stop
        self._ended_by: BaseException | None = None
        # The process ends without it: the file it writes is whole at every moment.
        self._thread = threading.Thread(target=self._go_on, name=name, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def refuse_its_end(self) -> None:
        """Raises what the thread ended by, if it did: nobody would compare any more, and nobody would be told."""
        if self._ended_by is not None:
            raise self._ended_by

    def _go_on(self) -> None:
        steps = Steps(time.monotonic, KAFKA_FAULTS + PINOT_FAULTS)
        try:
            while not self._stop.wait(steps.due_in_s(self._name)):
                steps.run(self._name, self._every_s(), self._step)
        except BaseException as fault:  # noqa: BLE001 # it is raised in the main thread
            self._ended_by = fault
