"""When a reader counts as having reached an offset, and how often that has to be probed."""

from __future__ import annotations

from collections.abc import Mapping

from stream_jobs.topics.offsets import Gap, Reached, all_at_least


class _Log:
    """A topic whose kafka partitions hold committed records at the given offsets; counts probes."""

    def __init__(self, records: Mapping[int, set[int]]) -> None:
        self.records = {partition: set(offsets) for partition, offsets in records.items()}
        self.probes: list[Mapping[int, Gap]] = []

    def __call__(self, topic: str, gaps: Mapping[int, Gap]) -> Mapping[int, int | None]:
        assert topic == "topic"
        self.probes.append(dict(gaps))
        return {
            p: min((o for o in self.records[p] if gap.start <= o < gap.end), default=None)
            for p, gap in gaps.items()
        }


def test_offsets_are_reached_when_every_wanted_partition_is() -> None:
    assert all_at_least({0: 5, 1: 7}, {0: 5, 1: 6})
    assert not all_at_least({0: 5, 1: 7}, {0: 5, 1: 8})
    assert not all_at_least({0: 5}, {0: 5, 1: 0})


def test_no_gap_needs_no_probe() -> None:
    log = _Log({0: {1}})
    assert Reached("topic", log)({0: 5}, {0: 5})
    assert not log.probes


def test_a_gap_without_records_counts_as_passed_and_is_probed_once() -> None:
    log = _Log({0: {1, 2}})
    reached = Reached("topic", log)
    assert reached({0: 3}, {0: 5})
    assert reached({0: 3}, {0: 5})
    assert reached({0: 4}, {0: 5})
    assert log.probes == [{0: Gap(3, 5)}]


def test_a_record_in_the_gap_is_not_looked_for_again_until_the_reader_has_passed_it() -> None:
    log = _Log({0: {1, 2, 6}})
    reached = Reached("topic", log)
    assert not reached({0: 1}, {0: 4})
    assert not reached({0: 1}, {0: 4})
    assert len(log.probes) == 1
    assert reached({0: 3}, {0: 4})


def test_an_empty_gap_that_grows_is_probed_again() -> None:
    log = _Log({0: set()})
    reached = Reached("topic", log)
    assert reached({0: 3}, {0: 5})
    log.records[0].add(5)
    assert not reached({0: 3}, {0: 6})


def test_one_partition_behind_is_enough_to_be_behind() -> None:
    log = _Log({0: set(), 1: {4}})
    reached = Reached("topic", log)
    assert not reached({0: 3, 1: 4}, {0: 5, 1: 5})
    assert reached({0: 3, 1: 5}, {0: 5, 1: 5})
    assert log.probes == [{0: Gap(3, 5), 1: Gap(4, 5)}]
