"""What stops the proof, what only delays it, and what does neither; case by case."""

from __future__ import annotations

from dataclasses import replace

import pytest

from stream_jobs.progress.pinot_served import ConsumingSegment, whole
from stream_jobs.progress.row_counts import Docs
from stream_jobs.progress.segments import NotServedError, Segment
from stream_jobs.progress.tracker import HoleError, NotProvenError
from tests.unit.stream_jobs.progress.still import (
    ENTRIES,
    ERASURES,
    RAW,
    Still,
    entries_name,
)


def test_what_is_served_is_proven_at_the_first_look() -> None:
    still = Still()
    progress = still.look()
    assert progress is not None
    assert (progress.as_of_ms, progress.docs) == (still.now_ms, Docs((130, 130, 130), 0))


# Kafka partitions ---------------------------------------------------------------------------------


def test_events_in_a_partition_that_nobody_reads_yet_hold_the_proof_back() -> None:
    still = Still()
    assert still.proves()
    still.kafka.start[RAW][2], still.kafka.end[RAW][2] = 0, 1
    assert not still.proves()
    still.kafka.group[2] = 1
    assert still.proves()


def test_an_empty_partition_that_nobody_reads_yet_holds_nothing_back() -> None:
    still = Still()
    still.kafka.start[RAW][2], still.kafka.end[RAW][2] = 0, 0
    assert still.proves()


def test_a_partition_that_shows_up_during_the_proof_voids_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    still = Still()
    count = still.pinot.count

    def meanwhile(table: str, account_id: str | None) -> object:
        still.kafka.start[RAW][2], still.kafka.end[RAW][2] = 0, 9
        return count(table, account_id)

    monkeypatch.setattr(still.pinot, "count", meanwhile)
    with pytest.raises(NotProvenError, match="added to transactions"):
        still.look()
    assert not still.proves()


def test_a_partition_added_to_the_entries_holds_the_proof_back_only_until_segments_know_it() -> (
    None
):
    still = Still(entries=3)
    still.kafka.start[ENTRIES][3], still.kafka.end[ENTRIES][3] = 0, 0
    with pytest.raises(NotServedError, match=r"4 partitions .* by 3"):
        still.look()
    for partition in range(3):
        still.finish(partition, 3)
        still.filling(partition, 4, 130, 130, modulus=4)
    still.filling(3, 0, 0, 0, modulus=4)
    progress = still.look()
    assert progress is not None
    # Twelve classes, which tell the partition of three as well as that of four.
    assert len(progress.docs.entries) == 12
    assert sum(progress.docs.entries) - progress.docs.shared == 3 * 130


def test_a_partition_of_the_entries_that_pinot_does_not_read_holds_the_proof_back() -> None:
    still = Still()
    still.kafka.start[ENTRIES][3], still.kafka.end[ENTRIES][3] = 0, 2
    with pytest.raises(NotServedError, match=r"\[3\] of account-entries are not being consumed"):
        still.look()


# Deleted unread ------------------------------------------------------------------------------------


def test_raw_events_deleted_before_the_job_read_them_are_an_alarm_and_no_progress() -> None:
    still = Still()
    still.kafka.group[1], still.kafka.start[RAW][1], still.kafka.end[RAW][1] = 70, 250, 250
    assert not still.proves()
    assert still.tracker.unread.deleted == {RAW: 180}
    still.kafka.start[RAW][1] = still.kafka.end[RAW][1] = 260
    still.proves()
    assert still.tracker.unread.deleted == {RAW: 190}


def test_events_deleted_in_a_partition_that_was_never_committed_are_an_alarm() -> None:
    still = Still()
    still.kafka.start[RAW][2], still.kafka.end[RAW][2] = 0, 40
    assert not still.proves()
    still.kafka.start[RAW][2] = 15
    assert not still.proves()
    assert still.tracker.unread.deleted == {RAW: 15}


def test_a_log_that_begins_late_before_anybody_reads_it_is_no_alarm() -> None:
    still = Still()
    still.kafka.start[RAW][0] = still.kafka.end[RAW][0] = 900
    del still.kafka.group[0]
    assert still.proves()
    assert not still.tracker.unread.deleted


def test_a_deleted_marker_that_was_seen_to_be_one_is_no_alarm_even_for_the_next_tracker() -> None:
    still = Still()
    still.kafka.end[RAW][0] = 51
    still.kafka.markers.add((RAW, 0, 50))
    progress = still.look()
    assert progress is not None
    still.kafka.start[RAW][0] = 51
    still.tracker = still.new_tracker(progress)
    assert still.proves()
    assert not still.tracker.unread.deleted


def test_entries_deleted_before_pinot_read_them_are_an_alarm_and_no_progress() -> None:
    still = Still()
    still.kafka.start[ENTRIES][2], still.kafka.end[ENTRIES][2] = 137, 137
    assert not still.proves()
    assert still.tracker.unread.deleted == {ENTRIES: 7}


# Segments ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sequence", [0, 1, 2])
def test_a_finished_segment_that_was_deleted_stops_the_proof_and_is_told(sequence: int) -> None:
    still = Still()
    assert still.proves()
    still.pinot.remove(entries_name(1, sequence))
    with pytest.raises(HoleError, match="account_entries lacks rows"):
        still.look()
    assert len(still.tracker.holes) == 1
    # A tracker that begins now sees it as well.
    still.tracker = still.new_tracker()
    with pytest.raises(HoleError):
        still.look()


def test_a_partition_that_was_begun_anew_behind_the_start_of_the_log_is_a_hole() -> None:
    still = Still()
    for sequence in range(4):
        still.pinot.remove(entries_name(0, sequence))
    still.filling(0, 0, 100, 130)
    with pytest.raises(HoleError, match="from offset 0 to 100"):
        still.look()


def test_a_partition_begun_anew_is_a_hole_however_many_rows_come_if_the_log_begins_late_too() -> (
    None
):
    still = Still()
    progress = still.look()
    assert progress is not None
    for sequence in range(4):
        still.pinot.remove(entries_name(0, sequence))
    still.kafka.start[ENTRIES][0], still.kafka.end[ENTRIES][0] = 100, 900
    still.filling(0, 0, 100, 900)
    still.tracker = still.new_tracker(progress)
    with pytest.raises(HoleError, match="which begins anew"):
        still.look()


def test_every_record_of_an_erasure_is_counted() -> None:
    still = Still()
    told = []
    for records in (0, 1, 3):
        still.kafka.end[ERASURES] = {0: records}
        progress = still.look()
        assert progress is not None
        told.append(progress.erasures)
    assert told == [0, 1, 3]


def test_what_the_table_forgets_is_no_hole_and_its_rows_are_no_longer_promised() -> None:
    still = Still()
    still.pinot.retention_ms = 500
    assert still.proves()
    still.pinot.remove(entries_name(1, 0))
    progress = still.look()
    assert progress is not None
    assert progress.docs.entries == (130, 90, 130)


def test_what_is_younger_than_the_table_keeps_is_a_hole_at_its_beginning_too() -> None:
    still = Still()
    still.pinot.retention_ms = 10_000_000
    still.pinot.remove(entries_name(1, 0))
    with pytest.raises(HoleError, match="before account_entries__1__1"):
        still.look()


def test_merged_segments_take_the_place_of_those_they_are_made_of() -> None:
    still = Still()
    assert still.proves()
    merged = Segment("account_entries__merged_1_2", False, None, None, 0, 3, frozenset({2}))
    still.pinot.put(merged, 80)
    still.pinot.lineage = {entries_name(2, 0), entries_name(2, 1)}
    assert still.proves()
    for sequence in range(2):
        still.pinot.remove(entries_name(2, sequence))
    progress = still.look()
    assert progress is not None
    assert progress.docs.entries == (130, 130, 130)


def test_merged_segments_with_fewer_rows_stop_the_proof_for_the_next_tracker_too() -> None:
    still = Still()
    progress = still.look()
    assert progress is not None
    merged = Segment("account_entries__merged", False, None, None, 0, 3, frozenset({2}))
    still.pinot.put(merged, 79)
    for sequence in range(2):
        still.pinot.remove(entries_name(2, sequence))
    still.tracker = still.new_tracker(progress)
    with pytest.raises(NotProvenError, match="Pinot had"):
        still.look()


def test_a_segment_that_was_begun_after_the_merge_is_no_part_of_it() -> None:
    still = Still()
    for sequence in range(4):
        segment = still.pinot.tables["account_entries"][entries_name(2, sequence)]
        still.pinot.tables["account_entries"][segment.name] = replace(
            segment, created_ms=sequence * 1000
        )
    merged = Segment("account_entries__merged", False, None, None, 1500, 3, frozenset({2}))
    still.pinot.put(merged, 80)
    for sequence in range(2):
        still.pinot.remove(entries_name(2, sequence))
    assert not still.proves()
    still.pinot.put(replace(merged, created_ms=2500), 80)
    assert still.proves()
    still.pinot.remove(entries_name(2, 2))
    with pytest.raises(HoleError, match="before account_entries__2__3"):
        still.look()


def test_an_uploaded_segment_without_offsets_continues_the_chain_by_its_number() -> None:
    still = Still()
    segment = still.pinot.tables["account_entries"][entries_name(0, 1)]
    still.pinot.put(replace(segment, start=None, end=None), 40)
    assert still.proves()
    still.pinot.remove(entries_name(0, 2))
    assert not still.proves()


def test_an_entry_in_a_wrong_partition_stops_nothing() -> None:
    still = Still()
    segment = still.pinot.tables["account_entries"][entries_name(0, 2)]
    still.pinot.put(replace(segment, residues=frozenset({0, 1})), 40)
    progress = still.look()
    assert progress is not None
    assert progress.docs.entries == (130, 170, 130)
    assert progress.docs.shared == 40


# Replicas ------------------------------------------------------------------------------------------


def test_every_replica_must_have_come_so_far() -> None:
    still = Still()
    name = entries_name(2, 3)
    still.pinot.offsets[name] = {"one": 130, "two": 129}
    assert not still.proves()
    still.pinot.offsets[name] = {"one": 130, "two": 130}
    assert still.proves()


def test_a_replica_that_still_fills_the_segment_before_holds_the_proof_back() -> None:
    still = Still()
    still.finish(1, 3)
    still.kafka.end[ENTRIES][1] = 140
    still.pinot.put(still.filling(1, 4, 130, 140), 10, two=140)
    still.pinot.offsets[entries_name(1, 3)] = {"one": 125}
    assert not still.proves()
    del still.pinot.offsets[entries_name(1, 3)]
    assert still.proves()


def built_meanwhile(still: Still, **offsets: int) -> None:
    """Partition 1 is filled up to 130 and being built, in memory at these offsets, and two servers fill the next."""
    still.finish(1, 3)
    still.kafka.end[ENTRIES][1] = 140
    still.pinot.put(still.filling(1, 4, 130, 140), 10, one=140, two=140)
    still.pinot.offsets[entries_name(1, 3)] = offsets


def test_a_segment_that_is_filled_to_its_end_everywhere_may_be_built_while_the_next_is_filled() -> (
    None
):
    still = Still()
    built_meanwhile(still, one=130, two=130)
    proven = still.look()
    assert proven is not None
    assert proven.docs.entries == (130, 140, 130)
    assert proven.docs.in_memory == (1, 2, 1)
    del still.pinot.offsets[entries_name(1, 3)]
    still.kafka.end[ENTRIES][1] = 141
    still.pinot.put(still.filling(1, 4, 130, 141), 11, one=141, two=141)
    built = still.look()
    assert built is not None
    assert built.docs.in_memory == ()


@pytest.mark.parametrize(
    "offsets",
    [
        {"one": 130, "two": 129},  # one lacks a row of it
        {"one": 131, "two": 130},  # one has a row more, which the next has as well
        {"one": 130, "three": 130},  # who has it may answer without the next
    ],
)
def test_a_segment_that_is_not_whole_wherever_it_is_holds_the_proof_back(
    offsets: dict[str, int],
) -> None:
    still = Still()
    built_meanwhile(still, **offsets)
    assert not still.proves()


def test_a_whole_segment_that_is_looked_for_by_another_number_of_partitions_holds_the_proof_back() -> (
    None
):
    still = Still()
    built_meanwhile(still, one=130, two=130)
    name = entries_name(1, 3)
    table = still.pinot.tables["account_entries"]
    table[name] = replace(table[name], modulus=6, residues=frozenset({1}))
    assert not still.proves()


def test_what_was_in_memory_when_it_was_proven_is_not_said_again_when_rows_are_lost() -> None:
    still = Still()
    built_meanwhile(still, one=130, two=130)
    assert still.look() is not None
    still.pinot.remove(entries_name(2, 1))
    with pytest.raises(HoleError) as lost:
        still.look()
    assert lost.value.refusal is not None
    assert lost.value.refusal.docs.in_memory == ()


def test_only_a_segment_with_a_next_one_is_whole_in_whatever_order_they_are_told() -> None:
    consuming = (ConsumingSegment(entries_name(1, 3), {"one": 130}),)
    still = Still()
    assert whole(consuming, still.pinot.segments("account_entries")) == frozenset()
    still.finish(1, 3)
    newer = ConsumingSegment(entries_name(1, 4), {"one": 130})
    table = still.pinot.segments("account_entries")
    assert whole((*consuming, newer), table) == {entries_name(1, 3)}
    assert whole((newer, *consuming), table) == {entries_name(1, 3)}


@pytest.mark.parametrize("sequence", [2, 3])
def test_a_silent_replica_that_may_answer_holds_the_proof_back(sequence: int) -> None:
    still = Still()
    still.pinot.serving = {entries_name(0, sequence): frozenset({"one", "three"})}
    assert not still.proves()


def test_a_replica_that_comes_in_while_rows_are_counted_voids_the_count(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    still = Still()
    count = still.pinot.count

    def meanwhile(table: str, account_id: str | None) -> object:
        # Counted when it had next to nothing, and as far as the other before anybody looks again.
        still.pinot.offsets[entries_name(2, 3)] = {"one": 130, "two": 130}
        return count(table, account_id)

    monkeypatch.setattr(still.pinot, "count", meanwhile)
    with pytest.raises(NotProvenError, match=r"\['two'\] joined in account-entries"):
        still.look()
    monkeypatch.undo()
    assert still.proves()


# Instants ------------------------------------------------------------------------------------------


def test_an_instant_from_a_clock_that_jumped_ahead_holds_no_later_one_back() -> None:
    still = Still()
    ahead = still.tracker.look(still.now_ms + 3_600_000)
    assert ahead is not None
    after = still.look()
    assert after is not None
    assert after.as_of_ms < ahead.as_of_ms


def test_instants_that_wait_are_proven_in_the_order_of_looking() -> None:
    still = Still()
    still.kafka.group[0] = 20
    assert still.tracker.look(still.now_ms + 3_600_000) is None
    assert still.look() is None
    still.kafka.end[RAW][0], still.kafka.group[0] = 60, 50
    progress = still.look()
    assert progress is not None
    assert progress.as_of_ms == still.now_ms - 400


def test_rows_are_counted_anew_only_where_something_was_read() -> None:
    still = Still()
    assert still.proves()
    assert still.pinot.counted == 4
    still.filling(1, 3, 120, 131)
    still.kafka.end[ENTRIES][1] = 131
    progress = still.look()
    assert progress is not None
    assert progress.docs.entries == (130, 131, 130)
    assert still.pinot.counted == 5
