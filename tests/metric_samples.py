"""What a collector of metrics tells, by name and labels as Prometheus writes them."""

from __future__ import annotations

import subprocess

from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

NO_LINT = "exit code 0"


def samples(collector: Collector) -> dict[str, float]:
    """All samples, as they go over the wire."""
    return parsed(generate_latest(collector).decode())


def sample(collector: Collector, name: str, **labels: str) -> float | None:
    """One sample, if it is told."""
    return samples(collector).get(_key(name, labels))


def parsed(text: str) -> dict[str, float]:
    """All samples of a page."""
    return {
        _key(each.name, each.labels): each.value
        for family in text_string_to_metric_families(text)
        for each in family.samples
    }


def linted(text: str) -> str:
    """What promtool has against a page; `NO_LINT` if nothing."""
    # By its name alone: a machine without promtool fails here; `./dev test` looks for it first.
    done = subprocess.run(
        ["promtool", "check", "metrics"],
        input=text,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return f"{done.stdout}{done.stderr}exit code {done.returncode}"


def _key(name: str, labels: dict[str, str]) -> str:
    told = ",".join(f'{label}="{value}"' for label, value in sorted(labels.items()))
    return f"{name}{{{told}}}" if told else name
