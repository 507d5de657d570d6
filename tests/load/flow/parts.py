"""What the stack's parts take while events flow: CPU by process, the audit's lag, segments that were finished."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

import httpx

from local_stack import run_file
from local_stack.settings import StackSettings
from tests.load.flow.stages import quantiles
from tests.load.gateway.running import cpu_of

_LAG = re.compile(r"^audit_pinot_lag_seconds (\S+)$", re.MULTILINE)


def pids(settings: StackSettings) -> dict[str, int]:
    """The processes of a stack that is up, by part. Exits if there is none."""
    run = run_file.live(settings.run_file)
    if run is None or run.embedded:
        raise SystemExit("The stack is down. Start it first: ./dev up --fresh --no-load")
    return {name: part.process.pid for name, part in run.parts.items()}


@dataclass
class Watched:
    """CPU seconds of all parts at the beginning, and the audit's lag ever since; between `start` and `stop`."""

    settings: StackSettings
    cpu_before_s: Mapping[str, float] = field(default_factory=dict)
    lags_s: list[float] = field(default_factory=list)

    def start(self) -> None:
        self._pids = pids(self.settings)
        self._stop = threading.Event()
        self._segments = self._segment_count()
        self.cpu_before_s = {name: cpu_of(pid) for name, pid in self._pids.items()}
        self._thread = threading.Thread(target=self._ask_audit)
        self._thread.start()

    def stop(self, seconds: float) -> dict[str, object]:
        """Cores by part, how many segments were begun meanwhile, and the audit's lag.

        Of a part that was replaced meanwhile, what the new process has taken.
        """
        self._stop.set()
        self._thread.join()
        now = pids(self.settings)
        replaced = {name for name, pid in now.items() if pid != self._pids.get(name)}
        before_s = {**self.cpu_before_s, **dict.fromkeys(replaced, 0.0)}
        cores = {
            name: round((cpu_of(pid) - before_s[name]) / seconds, 2) for name, pid in now.items()
        }
        return {
            "cores": {"all parts": round(sum(cores.values()), 2), **cores},
            "replaced": sorted(replaced),
            "segments_finished": self._segment_count() - self._segments,
            "audit_lag_s": quantiles(self.lags_s) if self.lags_s else None,
        }

    def _segment_count(self) -> int:
        url = f"{self.settings.pinot_controller_url}/segments/account_entries?type=REALTIME"
        answer = httpx.get(url, timeout=30, trust_env=False).json()
        return sum(len(each["REALTIME"]) for each in answer if "REALTIME" in each)

    def _ask_audit(self) -> None:
        url = f"{self.settings.audit_url}/metrics"
        while not self._stop.wait(1):
            try:
                found = _LAG.search(httpx.get(url, timeout=5, trust_env=False).text)
            except httpx.HTTPError:
                continue
            if found:
                self.lags_s.append(float(found[1]))
