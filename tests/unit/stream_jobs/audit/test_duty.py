"""Of several audits one tells: it begins with the lease, ends with it or with its epoch, and goes on from the last record."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from stream_jobs.audit import duty
from stream_jobs.audit.duty import Alone, OneOfSeveral, Quieter
from stream_jobs.audit.findings import NOWHERE, Finding, Kind, Tier, tell
from stream_jobs.audit.handover import Handover
from stream_jobs.audit.publish import Counts, Report, record_value, report
from stream_jobs.audit.state import State
from stream_jobs.audit.sums import HOUR_MS
from stream_jobs.audit.telling import Telling
from stream_jobs.topics.fenced import EndedError, FencedError
from stream_jobs.topics.lease import SILENT_S, Silence
from stream_jobs.topics.reader import Record

NOW_MS = 1_795_000_000_000
HOUR = NOW_MS - NOW_MS % HOUR_MS


class Granted:
    """A lease as the test grants it."""

    def __init__(self) -> None:
        self.number = 0
        self.given_up = 0
        self.closed = False

    def term(self) -> int:
        return self.number

    def give_up(self) -> None:
        self.number, self.given_up = 0, self.given_up + 1

    def close(self) -> None:
        self.closed = True


class Publisher:
    """Keeps what is published, or ends as the test says."""

    def __init__(self) -> None:
        self.published: list[bytes] = []
        self.begun = 0
        self.refuses_to_begin: EndedError | None = None
        self.ends: EndedError | None = None

    def begin(self) -> None:
        self.begun += 1
        if self.refuses_to_begin:
            raise self.refuses_to_begin

    def publish(self, topic: str, value: bytes) -> None:
        assert topic == "pipeline-audit"
        if self.ends:
            raise self.ends
        self.published.append(value)


class Several:
    """One of several with its parts at hand."""

    def __init__(self, taken_over: Callable[[], None] = lambda: None) -> None:
        self.lease, self.publisher = Granted(), Publisher()
        self.duty = OneOfSeveral(
            self.lease,  # type: ignore[arg-type]
            "pipeline-audit",
            lambda: self.publisher,  # type: ignore[return-value,arg-type]
            taken_over,
        )


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    opened = State(tmp_path / "audit.sqlite3")
    yield opened
    opened.close()


def finding(
    tier: Tier, kind: Kind, time_ms: int, partition: int = NOWHERE, id_: str = ""
) -> Finding:
    return Finding(tier, kind, time_ms, partition, partition, id_, "as it was found")


def told_by(folder: Path, *findings: Finding, recorded_at_ms: int = NOW_MS) -> Record:
    """The last record of an audit with these findings."""
    other = State(folder / "other.sqlite3")
    other.add_findings(findings, NOW_MS)
    value = record_value(report(other, Counts(), (NOW_MS, NOW_MS), NOW_MS, recorded_at_ms))
    other.close()
    return Record(0, 7, NOW_MS, value)


def test_the_only_audit_always_tells() -> None:
    published: list[bytes] = []
    alone = Alone(published.append)
    alone.look()
    alone.publish(b"one")
    alone.close()
    assert (alone.active, published) == (True, [b"one"])


def test_one_of_several_tells_while_it_has_the_lease() -> None:
    each = Several()
    each.duty.look()
    each.duty.publish(b"too early")
    assert not each.duty.active
    each.lease.number = 1
    each.duty.look()
    each.duty.look()
    each.duty.publish(b"one")
    assert (each.duty.active, each.publisher.begun) == (True, 1)
    each.lease.number = 0
    each.duty.look()
    each.duty.publish(b"too late")
    assert not each.duty.active
    assert each.publisher.published == [b"one"]


def test_who_gets_no_answer_of_pinot_leaves_it_to_another_and_has_its_whole_time_again_then(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now_s = [0.0]
    monkeypatch.setattr(duty, "Silence", lambda: Silence(lambda: now_s[0]))
    each = Several()
    for number in (1, 2):
        each.lease.number = number
        each.duty.look()
        for passed_s in (0.0, SILENT_S / 2, SILENT_S / 3):
            now_s[0] += passed_s
            each.duty.pinot_answered(answered=False)
            each.duty.look()
            assert each.duty.active
        now_s[0] += SILENT_S / 3
        each.duty.look()
        assert (each.duty.active, each.lease.given_up) == (False, number)
        now_s[0] += SILENT_S
        each.duty.look()
        assert each.lease.given_up == number, "who stands by has nothing to give up"


def test_another_term_begins_anew_since_another_audit_may_have_been_between() -> None:
    each = Several()
    for number in (1, 2):
        each.lease.number = number
        each.duty.look()
    assert (each.duty.active, each.publisher.begun) == (True, 2)


def test_who_is_fenced_stops_at_once_and_leaves_it_to_another() -> None:
    each = Several()
    each.lease.number = 1
    each.duty.look()
    each.publisher.ends = FencedError("by a newer instance")
    each.duty.publish(b"too late")
    assert (each.duty.active, each.lease.given_up) == (False, 1)
    each.duty.look()
    assert each.publisher.begun == 1


def test_who_does_not_know_whether_it_published_begins_again() -> None:
    each = Several()
    each.lease.number = 1
    each.duty.look()
    each.publisher.ends = EndedError("no answer")
    each.duty.publish(b"perhaps")
    assert (each.duty.active, each.lease.given_up) == (False, 0)
    each.duty.look()
    assert (each.duty.active, each.publisher.begun) == (True, 2)


def test_nobody_tells_before_all_others_are_ended_and_their_last_record_is_known() -> None:
    def unreadable() -> None:
        raise TimeoutError

    each = Several(unreadable)
    each.lease.number = 1
    each.publisher.refuses_to_begin = EndedError("no answer")
    each.duty.look()
    assert not each.duty.active
    each.publisher.refuses_to_begin = None
    with pytest.raises(TimeoutError):
        each.duty.look()
    assert not each.duty.active
    with pytest.raises(TimeoutError):
        each.duty.look()
    assert each.publisher.begun == 3


def test_who_lost_the_lease_while_it_began_does_not_tell() -> None:
    def lost() -> None:
        each.lease.number = 0

    each = Several(lost)
    each.lease.number = 1
    each.duty.look()
    each.duty.publish(b"too late")
    assert (each.duty.active, each.publisher.published) == (False, [])


def test_who_stops_leaves_at_once() -> None:
    each = Several()
    each.lease.number = 1
    each.duty.look()
    each.duty.close()
    assert (each.duty.active, each.lease.closed) == (False, True)


def test_the_time_of_recording_rises_over_the_one_before_though_its_clock_was_ahead(
    state: State, tmp_path: Path
) -> None:
    last = told_by(tmp_path, recorded_at_ms=NOW_MS + 60_000)
    handover = Handover(state, lambda: last, lambda: NOW_MS)
    handover.take()
    assert [handover.recorded_at_ms() for _ in range(2)] == [NOW_MS + 60_001, NOW_MS + 60_002]


def test_the_first_audit_of_all_has_nothing_to_take(state: State) -> None:
    handover = Handover(state, lambda: None, lambda: NOW_MS)
    handover.take()
    assert handover.recorded_at_ms() == NOW_MS
    assert state.findings.counts() == {}


def test_where_pinot_was_seen_to_differ_it_does_until_it_was_looked_at(
    state: State, tmp_path: Path
) -> None:
    changed = finding(Tier.PINOT, Kind.CHANGED, HOUR + 20_000, 3, "an id")
    last = told_by(tmp_path, changed, finding(Tier.ENTRIES, Kind.LOST, HOUR, 4))
    handover = Handover(state, lambda: last, lambda: NOW_MS)
    handover.take()
    # What it says of Kafka it has read itself, or does not vouch for.
    assert state.findings.counts() == {(Tier.PINOT, Kind.CHANGED): 1}
    (mismatch,) = state.findings.mismatches(10, 10)
    assert (mismatch.start_ms, mismatch.transaction_ids) == (HOUR + 20_000, ("an id",))
    assert state.findings.pinot_hours(HOUR_MS) == [HOUR]
    assert state.write_pinot(HOUR, HOUR + HOUR_MS, [], NOW_MS) == []
    assert state.findings.counts() == {}


def test_what_it_found_itself_in_an_hour_is_not_found_twice(state: State, tmp_path: Path) -> None:
    own = finding(Tier.PINOT, Kind.CHANGED, HOUR + 20_000, 3, "an id")
    state.add_findings([own], NOW_MS)
    last = told_by(tmp_path, own)
    Handover(state, lambda: last, lambda: NOW_MS).take()
    assert len(state.findings) == 1


def test_a_kind_that_only_a_later_version_knows_is_left_to_it(state: State, tmp_path: Path) -> None:
    last = told_by(tmp_path, finding(Tier.PINOT, Kind.CHANGED, HOUR))
    value = json.loads(last.value or b"")
    value["mismatches"] = value["mismatches"].replace("CHANGED", "NEWER")
    newer = Record(0, 7, NOW_MS, json.dumps(value).encode())
    Handover(state, lambda: newer, lambda: NOW_MS).take()
    assert len(state.findings) == 0


def test_prometheus_is_told_what_was_found_only_by_the_one_that_tells(state: State) -> None:
    def said() -> Report:
        return report(state, Counts(), (NOW_MS - 4_000, NOW_MS - 7_000), NOW_MS, NOW_MS)

    each = Several()
    telling = Telling(each.duty, said, lambda: NOW_MS)
    registry = CollectorRegistry()
    registry.register(telling.collector)
    telling.take_over()
    telling.tell()
    assert registry.get_sample_value("audit_active") == 0
    assert registry.get_sample_value("audit_consistent") is None
    assert registry.get_sample_value("audit_standby_lag_seconds") == 7
    each.lease.number = 1
    telling.take_over()
    telling.tell()
    assert registry.get_sample_value("audit_active") == 1
    assert registry.get_sample_value("audit_consistent") == 1
    assert registry.get_sample_value("audit_standby_lag_seconds") is None
    assert each.publisher.published == [record_value(said())]


def test_an_audit_that_stands_by_reports_no_error_of_what_the_other_one_reports(
    caplog: pytest.LogCaptureFixture,
) -> None:
    each = Several()
    log, quieter = logging.getLogger("audit"), Quieter(lambda: each.duty.active)
    log.addFilter(quieter)
    caplog.set_level(logging.INFO)
    try:
        tell([finding(Tier.ENTRIES, Kind.LOST, NOW_MS)])
        each.lease.number = 1
        each.duty.look()
        tell([finding(Tier.ENTRIES, Kind.LOST, NOW_MS)])
        log.warning("of something else")
    finally:
        log.removeFilter(quieter)
    levels = [record.levelno for record in caplog.records]
    assert levels == [logging.INFO, logging.ERROR, logging.WARNING]
    assert "which another audit tells" in caplog.records[0].getMessage()
