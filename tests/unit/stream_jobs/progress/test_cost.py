"""What a look asks of Kafka and Pinot: as much for an old table as for a new one, and few times in a row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

import pytest

from stream_jobs.progress.pinot_served import HttpPinotServed
from stream_jobs.progress.tracker import COUNT_EVERY_MS, Tracker
from stream_jobs.topics.names import NAMES
from tests.unit.stream_jobs.progress.big_pinot import BigPinot
from tests.unit.stream_jobs.progress.still import ENTRIES, RAW, REJECTED, Answer, StillKafka

PARTITIONS = 64


class Deployment:
    """A tracker over many kafka partitions, segments and replicas; `rounds` are calls that waited for others."""

    def __init__(self, finished: int) -> None:
        self.pinot = BigPinot(PARTITIONS, finished, replicas=3)
        self.kafka = StillKafka(PARTITIONS, PARTITIONS, 1)
        self.rounds = 0
        self.now_ms = 0
        served = HttpPinotServed(
            "http://controller",
            "http://broker",
            side_by_side=self._side_by_side,
            connect=lambda *_: self.pinot,
        )
        self.tracker = Tracker(self.kafka, served, NAMES, lambda: self.now_ms, self._side_by_side)

    def look(self, entries: int = 10) -> Counter[str]:
        """The calls of a look that proves something, after `entries` came to every partition."""
        self.pinot.ahead += entries
        for partition in range(PARTITIONS):
            self.kafka.end[RAW][partition] += entries
            self.kafka.group[partition] = self.kafka.end[RAW][partition]
            self.kafka.end[ENTRIES][partition] = self.pinot.offset(NAMES.entries_table, partition)
        self.kafka.end[REJECTED][0] = self.pinot.offset(NAMES.rejected_table, 0)
        self.rounds, self.now_ms = 0, self.now_ms + COUNT_EVERY_MS
        self.pinot.calls.clear()
        self.kafka.calls.clear()
        assert self.tracker.look(self.now_ms) is not None
        return self.pinot.calls + self.kafka.calls

    def _side_by_side(self, calls: Sequence[Callable[[], Answer]]) -> list[Answer]:
        self.rounds += 1
        return [call() for call in calls]


@pytest.fixture(scope="module")
def old() -> Deployment:
    deployment = Deployment(finished=156)
    assert len(deployment.pinot.fields[NAMES.entries_table]) > 10_000
    return deployment


def test_the_first_look_reads_all_segments_at_once_and_no_other_does(old: Deployment) -> None:
    deployment = Deployment(finished=156)
    assert deployment.look()["getChildren PROPERTYSTORE"] == 1
    assert deployment.pinot.calls["get PROPERTYSTORE"] == 1  # the other table has but one
    old.look()
    assert not old.look() & Counter({"getChildren PROPERTYSTORE": 1, "get IDEALSTATES": 1})


def test_a_look_at_ten_thousand_segments_costs_what_one_at_a_few_does(old: Deployment) -> None:
    new = Deployment(finished=1)
    for deployment in (old, new):
        deployment.look()
    of_old, of_new = old.look(), new.look()
    assert of_old == of_new
    assert of_old["/query/sql"] == PARTITIONS + 1
    assert sum(of_old.values()) <= PARTITIONS + 30
    assert old.rounds == new.rounds <= 10


def test_the_end_of_a_segment_costs_the_lists_once_and_what_is_new(old: Deployment) -> None:
    old.look()
    old.pinot.end_segment(5)
    calls = old.look(entries=0)
    assert calls["get IDEALSTATES"] == calls["get EXTERNALVIEW"] == 2
    assert calls["get PROPERTYSTORE"] == 2  # the segment that ended, and the next
    assert calls["getChildren PROPERTYSTORE"] == 0
    assert old.look()["get IDEALSTATES"] == 0


def test_rows_are_not_counted_again_where_nothing_came(old: Deployment) -> None:
    old.look()
    assert old.look(entries=0)["/query/sql"] == 0
