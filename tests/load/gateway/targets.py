"""What was promised beside what was found; a missed target is said, not hidden."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Target:
    """A bound that a figure should keep: `wanted` at least, or at most."""

    what: str
    found: float
    wanted: float
    at_least: bool = True

    @property
    def met(self) -> bool:
        """Whether it is kept."""
        return self.found >= self.wanted if self.at_least else self.found <= self.wanted


def judged(*targets: Target) -> list[dict[str, Any]]:
    """Print each target and whether it is met; the same as figures."""
    for each in targets:
        bound = "≥" if each.at_least else "≤"
        verdict = "met" if each.met else "MISSED"
        print(f"{verdict:<6} {each.what}: {each.found:g} ({bound} {each.wanted:g})")
    return [{**asdict(each), "met": each.met} for each in targets]
