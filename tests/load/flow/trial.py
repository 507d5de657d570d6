"""One run: a steady rate, probes beside it, and what the parts took meanwhile."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import Any

from local_stack import run_file
from local_stack.graphql import GraphQLError, ask
from local_stack.settings import CHECKOUT, StackSettings
from tests.load.flow.parts import Watched
from tests.load.flow.probes import Probes
from tests.load.flow.stages import STAGES, Passage, growth_s, quantiles

WARM_S = 5.0
IDLE_WITHIN_S = 600.0
IDLE_BEHIND_S = 5.0


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of one rate; `ways` are those of the probes after the warm-up."""

    rate: int
    seconds: float
    ways: list[Passage]
    unseen: int
    caught_up_s: float
    growth_s: float
    refused: dict[str, int]
    sender: dict[str, Any]
    parts: dict[str, Any]

    def stages(self) -> dict[str, dict[str, float]]:
        """Quantiles of each stage, in seconds."""
        return {name: quantiles([way.stages[name] for way in self.ways]) for name in STAGES}

    def figures(self) -> dict[str, Any]:
        """All of it as JSON."""
        return {
            "rate": self.rate,
            "seconds": self.seconds,
            "probes": len(self.ways),
            "probes_unseen": self.unseen,
            "stages_s": self.stages(),
            "growth_s": self.growth_s,
            "caught_up_s": self.caught_up_s,
            "refused_answers": self.refused,
            "sender": self.sender,
            **self.parts,
        }


def run(
    settings: StackSettings,
    rate: int,
    seconds: float,
    probes_per_s: float,
    look_every_s: float = 0.04,
) -> Trial:
    """`rate` events a second for so long, after which all that was sent is waited for."""
    if run_file.live(settings.run_file) is None:
        raise SystemExit("No stack is up: ./dev up --no-load")
    _await_idle(settings)
    watched, probes = Watched(settings), Probes(settings, probes_per_s, look_every_s)
    watched.start()
    sender = subprocess.Popen(
        [
            *(sys.executable, "-P", "-m", "tests.load.flow.sender"),
            *("--kafka", settings.kafka_servers),
            *("--rate", str(rate), "--seconds", str(seconds + WARM_S)),
        ],
        cwd=CHECKOUT,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        began, measured_from_s = time.monotonic(), time.time() + WARM_S
        probes.start()
        said, _ = sender.communicate(timeout=seconds + WARM_S + 90)
        parts = watched.stop(time.monotonic() - began)
        caught_up_s = probes.stop()
    finally:
        sender.kill()
        sender.wait()
    ways = probes.passages(measured_from_s)
    if not ways:
        raise SystemExit(f"No probe came through: {dict(probes.refused)}")
    return Trial(
        rate=rate,
        seconds=seconds,
        ways=ways,
        unseen=probes.unseen(),
        caught_up_s=round(caught_up_s, 1),
        growth_s=growth_s(ways),
        refused=dict(probes.refused),
        sender=json.loads(said),
        parts=parts,
    )


def _await_idle(settings: StackSettings) -> None:
    """Wait until nothing of an earlier run is under way."""
    deadline = time.monotonic() + IDLE_WITHIN_S
    while True:
        try:
            said = ask(settings.gateway_url, "{ pipeline { freshnessSeconds } }", None, 10, {})
            behind_s = said["pipeline"]["freshnessSeconds"]
        except GraphQLError:
            behind_s = IDLE_WITHIN_S
        if behind_s <= IDLE_BEHIND_S:
            return
        if time.monotonic() > deadline:
            raise TimeoutError(f"the pipeline is {behind_s} s behind before anything was sent")
        time.sleep(1)
