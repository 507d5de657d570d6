"""Metrics of several processes as one page: each leaves its own in a folder, each can tell of all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class SharedMetrics:
    """The folder of the workers' metrics, and this worker's name in it."""

    folder: Path
    worker: str

    def leave(self, text: str) -> None:
        """Put down this worker's metrics for the others."""
        written = self.folder / f"{self.worker}.new"
        written.write_text(text, encoding="utf-8")
        written.rename(self.folder / f"{self.worker}.prom")

    def all(self, own: str) -> str:
        """The metrics of all workers, this one's as they are now."""
        texts = {file.stem: file.read_text(encoding="utf-8") for file in self.folder.glob("*.prom")}
        return merged({**texts, self.worker: own})


def merged(texts: Mapping[str, str]) -> str:
    """Prometheus texts as one, each sample with its worker as one more label."""
    heads: dict[str, list[str]] = {}
    samples: dict[str, list[str]] = {}
    for worker, text in sorted(texts.items()):
        name = ""
        for line in text.splitlines():
            if line.startswith("# HELP "):
                name = line.split(" ", 3)[2]
                heads[name] = [line]
            elif line.startswith("#"):
                heads[name] = [heads[name][0], line]
            else:
                samples.setdefault(name, []).append(_labelled(line, worker))
    lines = [line for name in heads for line in (*heads[name], *samples.get(name, ()))]
    return "\n".join(lines) + "\n"


def _labelled(sample: str, worker: str) -> str:
    name, _, rest = sample.partition("{")
    return f'{name}{{worker="{worker}",{rest}'
