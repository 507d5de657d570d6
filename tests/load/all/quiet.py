"""How quiet the machine is: its load, and what others than a benchmark and its stack take of it."""

from __future__ import annotations

import os
from dataclasses import dataclass

import psutil

from local_stack import run_file
from local_stack.settings import StackSettings
from tests.load.gateway.running import cpu_of

LOOK_S = 2.0
QUIET_CORES = 0.25
"""Others may take so much beside a benchmark: a shell, an editor, the system's own work."""


@dataclass(frozen=True, slots=True)
class Look:
    """The load average of the last minute, a benchmark's own included, and cores that others take just now."""

    load: float
    others_cores: float

    @property
    def quiet(self) -> bool:
        """Whether a figure of this moment is the benchmark's own."""
        return self.others_cores <= QUIET_CORES


def look(settings: StackSettings) -> Look:
    """For two seconds in which no benchmark runs; what an idle stack takes is not others'."""
    stack = run_file.live(settings.run_file)
    own = [os.getpid(), *([stack.supervisor.pid] if stack else [])]
    before_s = sum(map(cpu_of, own))
    busy = psutil.cpu_percent(interval=LOOK_S) / 100 * (psutil.cpu_count() or 1)
    own_cores = (sum(map(cpu_of, own)) - before_s) / LOOK_S
    return Look(round(os.getloadavg()[0], 1), round(max(0.0, busy - own_cores), 2))
