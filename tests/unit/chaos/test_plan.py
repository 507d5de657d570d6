"""A chaos run can be had again: its faults follow from the seed alone."""

from __future__ import annotations

import pytest

from tests.chaos.plan import KINDS, MEANINGS, OF_A_PART, faults

PARTS = ("kafka", "flink", "gateway")


def test_the_same_seed_gives_the_same_faults_whatever_the_order_of_the_parts() -> None:
    once = faults(7, 50, PARTS, KINDS, 90)
    assert once == faults(7, 50, tuple(reversed(PARTS)), KINDS, 90)
    assert once != faults(8, 50, PARTS, KINDS, 90)


def test_a_shorter_run_is_the_beginning_of_a_longer_one() -> None:
    assert faults(7, 60, PARTS, KINDS, 90)[: len(KINDS)] == faults(7, len(KINDS), PARTS, KINDS, 90)


def test_every_kind_comes_once_before_any_comes_again() -> None:
    kinds = [fault.kind for fault in faults(3, 40, PARTS, KINDS, 90)]
    assert sorted(kinds[: len(KINDS)]) == sorted(KINDS)
    assert len(kinds) == 40


def test_only_the_wanted_kinds_come() -> None:
    assert {fault.kind for fault in faults(3, 40, PARTS, ["kill", "pause"], 90)} == {
        "kill",
        "pause",
    }


@pytest.mark.parametrize("kind", OF_A_PART)
def test_every_part_is_hit_once_before_any_is_hit_again(kind: str) -> None:
    hit = [fault.part for fault in faults(3, 6, PARTS, [kind], 90)]
    assert sorted(hit[:3]) == sorted(hit[3:]) == sorted(PARTS)


@pytest.mark.parametrize("seed", range(20))
def test_a_fault_of_a_part_names_one_and_a_lasting_one_its_time(seed: int) -> None:
    for fault in faults(seed, 60, PARTS, KINDS, 90):
        assert (fault.part in PARTS) == (fault.kind in OF_A_PART)
        assert (fault.part in {"1", "2", "3"}) == (fault.kind == "upgrade")
        assert fault.seconds == 90 or fault.kind != "outage"
        assert (fault.seconds > 0) == (
            fault.kind in {"pause", "outage", "open-transaction", "disk-full", "garbage"}
        )


def test_every_kind_is_explained() -> None:
    assert set(MEANINGS) == set(KINDS)
