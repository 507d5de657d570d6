"""What is running, written down: the one file by which `status`, `down` and the next `up` know it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from local_stack.processes import ProcessId


@dataclass(frozen=True, slots=True)
class PartRun:
    """One part's process and how often it had to be started again."""

    process: ProcessId
    address: str
    restarts: int = 0
    state: str = "starting"  # starting, running, restarting


@dataclass(frozen=True, slots=True)
class StackRun:
    """The supervisor and its parts. `phase` is `starting`, `running` or `stopping`."""

    supervisor: ProcessId
    phase: str = "starting"
    embedded: bool = False
    parts: dict[str, PartRun] = field(default_factory=dict)

    def with_part(self, name: str, part: PartRun) -> StackRun:
        return replace(self, parts={**self.parts, name: part})


def read(path: Path) -> StackRun | None:
    """The last state written, or None if there is none or it cannot be read."""
    try:
        raw = json.loads(path.read_text())
        parts = {
            name: PartRun(ProcessId(**part.pop("process")), **part)
            for name, part in raw.pop("parts").items()
        }
        return StackRun(ProcessId(**raw.pop("supervisor")), parts=parts, **raw)
    except (FileNotFoundError, ValueError, TypeError, KeyError):
        return None


def write(path: Path, run: StackRun) -> None:
    """Replace the file in one step, so that a reader never sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(asdict(run), indent=1))
    fresh.replace(path)


def live(path: Path) -> StackRun | None:
    """The run whose supervisor is alive, if any."""
    run = read(path)
    return run if run is not None and run.supervisor.alive() else None
