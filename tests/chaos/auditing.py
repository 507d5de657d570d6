"""What the audit says of a stack, against what the accounting knows: neither may find what the other does not."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx

from tests.chaos.accounting import Difference
from tests.integration.running_stack import OperationError, RunningStack, parse_ms, wait_until

DOCUMENT = (
    "{ pipeline { audit { state comparedThrough openMismatches { tier kind count start } } } }"
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """The audit's state, and how many findings it has by tier and kind."""

    state: str
    findings: Counter[str]

    def contradiction(self, difference: Difference) -> str:
        """How it contradicts the accounting; empty if it does not."""
        lost = 2 * self.findings["ENTRIES LOST"] + self.findings["ENTRIES LOST_SIDE"]
        if lost != difference.lost:
            return f"{difference.lost} entries are lost, the audit says {lost}"
        if difference.none != (self.state == "CONSISTENT" and not self.findings):
            return f"{difference}, and the audit says {self.state}: {dict(self.findings)}"
        return ""


def ask(stack: RunningStack, instant_ms: int, limit_s: float) -> Verdict:
    """The audit's verdict once it has compared all that arrived before an instant."""
    found: dict[str, Any] = {}

    def compared() -> bool:
        try:
            found.update(stack.ask(DOCUMENT)["pipeline"]["audit"])
        except (OperationError, httpx.HTTPError, ValueError):
            return False
        through = found["comparedThrough"]
        return through is not None and parse_ms(through) >= instant_ms

    wait_until(compared, limit_s, "the audit does not get so far")
    findings: Counter[str] = Counter()
    for each in found["openMismatches"]:
        findings[f"{each['tier']} {each['kind']}"] += each["count"]
    return Verdict(found["state"], findings)


def first_told_s(log: Path, since_s: float) -> float | None:
    """When the audit first logged a finding, in epoch seconds, at or after an instant."""
    for line in log.read_text().splitlines():
        said = json.loads(line) if line.startswith("{") else {}
        if said.get("message") == "mismatch":
            at_s = datetime.fromisoformat(said["time"]).timestamp()
            if at_s >= since_s:
                return at_s
    return None
