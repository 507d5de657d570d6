"""What growth costs is told as ratios, which hold on any machine."""

from __future__ import annotations

from tests.load.state import ratios


def test_the_last_look_is_divided_by_the_first() -> None:
    looks = [
        {"keys": 1_000_000, "events_per_cpu_s": 20_000, "checkpoint_ms": 0},
        {"keys": 5_000_000, "events_per_cpu_s": 19_000, "checkpoint_ms": 9},
        {"keys": 10_000_000, "events_per_cpu_s": 15_000, "checkpoint_ms": 12},
    ]
    assert ratios(looks) == {"keys": 10.0, "events_per_cpu_s": 0.75}
