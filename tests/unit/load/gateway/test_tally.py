"""What counts as answered, as turned away and as failed; what the gateway's own counts say."""

from __future__ import annotations

import pytest

from tests.load.gateway.answers import difference
from tests.load.gateway.counts import hits_between, store_queries_between
from tests.load.gateway.overload import recovery_s
from tests.load.gateway.tally import Tally, kind_of


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (b"200", b'{"data":{"a":1}}', "ok"),
        (b"200", b'{"errors":[{"extensions":{"code":"RATE_LIMITED"}}]}', "rejected"),
        (b"429", b"", "rejected"),
        (b"503", b"busy", "rejected"),
        (
            b"200",
            b'{"errors":[{"extensions":{"code":"DEADLINE_EXCEEDED"}}]}',
            "200 DEADLINE_EXCEEDED",
        ),
        (b"500", b"oops", "500 oops"),
    ],
)
def test_an_answer_is_ok_turned_away_or_failed(status: bytes, body: bytes, kind: str) -> None:
    assert kind_of(status, body) == kind


def test_only_good_answers_count_as_answered() -> None:
    tally = Tally()
    for kind in ("ok", "ok", "rejected", "500 oops"):
        tally.add(kind, 10.0, 0.1, 0)
    report = tally.report(seconds=2, slice_s=0.25)
    assert report["ok_per_s"] == 1.0
    assert report["rejected"]["count"] == 1
    assert report["failed"] == 1
    assert report["failures"] == {"500 oops": 1}


def lookups(hit: int, stale: int, miss: int, queries: int) -> str:
    return (
        "# TYPE gateway_cache_lookups_total counter\n"
        f'gateway_cache_lookups_total{{result="hit"}} {hit}\n'
        f'gateway_cache_lookups_total{{result="stale"}} {stale}\n'
        f'gateway_cache_lookups_total{{result="miss"}} {miss}\n'
        f'gateway_store_query_duration_seconds_count{{plan="TopPlan"}} {queries}\n'
        f'gateway_store_query_duration_seconds_count{{plan="TotalsPlan"}} {queries}\n'
    )


def test_the_share_of_hits_is_that_of_the_time_between() -> None:
    before, after = lookups(100, 0, 100, 10), lookups(190, 5, 105, 13)
    assert hits_between(before, after) == 0.95
    assert store_queries_between(before, after) == 6


def test_a_gateway_without_a_cache_has_no_share_of_hits() -> None:
    assert hits_between("", 'gateway_graphql_operations_total{outcome="ok"} 3\n') is None


def test_the_first_difference_of_two_answers_is_named() -> None:
    left = {"rows": [{"rank": 1, "amount": "5"}]}
    assert difference(left, {"rows": [{"rank": 1, "amount": "5"}]}) is None
    assert difference(left, {"rows": [{"rank": 1, "amount": "6"}]}) == (
        "data.rows[0].amount is '5' and '6'"
    )
    assert difference(left, {"rows": []}) is not None
    assert difference(left, {"rows": [{"rank": 1}]}) is not None


def slices(*p99_ms: float) -> dict[str, object]:
    return {"slices": [{"at_s": 14 + n * 0.25, "p99_ms": p99} for n, p99 in enumerate(p99_ms)]}


def test_recovery_is_counted_to_the_first_slice_that_stays_fast() -> None:
    assert recovery_s(10.0, slices(12, 9, 8), 14.0) == 0.0
    assert recovery_s(10.0, slices(500, 300, 9, 30, 12, 9), 14.0) == 1.0


def test_who_is_slow_to_the_end_has_not_recovered() -> None:
    assert recovery_s(10.0, slices(500, 400, 300), 14.0) is None
    assert recovery_s(10.0, slices(), 14.0) is None
