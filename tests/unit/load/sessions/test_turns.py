"""Turns of one contestant, told as one."""

from __future__ import annotations

from typing import Any

import pytest

from tests.load.sessions.turns import together


def turn(ok: int, gateway_ms: float, **others: Any) -> dict[str, Any]:
    """A turn's figures, as a run of sessions tells them."""
    looks = {"looked_at": 4, "wrong": 0, "wrong_first": [], "inexact": 0, "refused": 1}
    told = {
        "ok": ok,
        "ok_per_s": ok / 10,
        "gateway_ms": gateway_ms,
        "pinot_ms": 1.0,
        "plans": 0.5,
        "p50_ms": 10.0,
        "p99_ms": 50.0,
        "refused": 1,
        "failed": 0,
        "not_answered": 1,
        "failures": {},
        "refused_because": {"store": 1},
        "hits": 0.1,
        "rows": {"memory": 0.5},
        "sent_late_p99_ms": 1.0,
        "looks": {**looks, "age": {"count": 4, "p50_ms": 800.0, "p99_ms": 900.0}},
    }
    return {**told, **others}


def test_costs_are_weighted_by_the_answers_that_they_were_for() -> None:
    row = together([turn(100, 5.0), turn(300, 1.0)])
    assert row["gateway_ms"] == 2.0
    assert row["per_core"] == pytest.approx(1000 / 3, abs=0.1)
    assert row["ok"] == 400


def test_the_slowest_of_all_turns_is_told_and_nothing_refused_or_wrong_is_lost() -> None:
    wrong = {**turn(1, 1)["looks"], "wrong": 1, "wrong_first": ["a: too little"]}
    row = together([turn(100, 1.0), turn(100, 1.0, p99_ms=200.0, refused=7, looks=wrong)])
    assert (row["p99_ms"], row["refused"]) == (200.0, 8)
    assert (row["looks"]["wrong"], row["looks"]["wrong_first"]) == (1, ["a: too little"])
    assert row["refused_because"] == {"store": 2}


def test_one_turn_says_what_it_says_alone_and_what_nobody_cached_has_no_share_of_hits() -> None:
    only = turn(100, 2.0, hits=None, rows={})
    row = together([only])
    assert {name: row[name] for name in ("ok", "plans", "p50_ms", "hits", "rows")} == {
        name: only[name] for name in ("ok", "plans", "p50_ms", "hits", "rows")
    }


def test_of_shares_that_a_turn_does_not_have_it_has_none() -> None:
    row = together([turn(100, 1.0, rows={"load": 0.2}), turn(100, 1.0, rows={"memory": 0.4})])
    assert row["rows"] == {"load": 0.1, "memory": 0.2}
