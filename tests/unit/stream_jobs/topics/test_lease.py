"""Who has the only kafka partition works, term by term, whatever else the group's members are given or lose."""

from __future__ import annotations

import argparse
import logging
import threading
from collections.abc import Callable

import pytest
from confluent_kafka import Consumer, KafkaError, TopicPartition

from stream_jobs.secret_files import AccessError
from stream_jobs.topics.lease import OUT_S, SILENT_S, Lease, Silence, Term, add_lease_argument

TOPIC = "pipeline-progress"
Callback = Callable[["Member", list[TopicPartition]], None]


class Failed:
    """What a poll gives instead of a record."""

    def __init__(self, code: int) -> None:
        self._error = KafkaError(code)

    def error(self) -> KafkaError:
        return self._error


class Member:
    """A consumer whose group does what the test says, at the next poll."""

    def __init__(self) -> None:
        self.next: list[Callable[[], Failed | None]] = []
        self.paused: list[TopicPartition] = []
        self.assigned: list[TopicPartition] = []
        self.joined = self.closed = False

    def subscribe(
        self, topics: list[str], on_assign: Callback, on_revoke: Callback, on_lost: Callback
    ) -> None:
        assert topics == [TOPIC]
        self.joined = True
        self._callbacks = {"assign": on_assign, "revoke": on_revoke, "lost": on_lost}

    def comes(self, what: str, *partitions: int) -> None:
        told = [TopicPartition(TOPIC, each) for each in partitions]
        self.next.append(lambda: self._callbacks[what](self, told))

    def poll(self, _timeout_s: float) -> Failed | None:
        return self.next.pop(0)() if self.next else None

    def incremental_assign(self, partitions: list[TopicPartition]) -> None:
        self.assigned += partitions

    def pause(self, partitions: list[TopicPartition]) -> None:
        self.paused += partitions

    def memberid(self) -> str:
        return "a" if self.assigned else ""

    def close(self) -> None:
        self.closed = True


class Members:
    """Makes them, and keeps them."""

    def __init__(self) -> None:
        self.made: list[Member] = []

    def __call__(self) -> Consumer:
        self.made.append(Member())
        return self.made[-1]  # type: ignore[return-value]


@pytest.fixture
def members() -> Members:
    return Members()


class Clock:
    """Seconds, as the test says."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def lease(members: Members, clock: Clock) -> Lease:
    return Lease(members, TOPIC, clock)


def test_who_is_given_the_partition_works_and_reads_nothing_of_it(
    lease: Lease, members: Members
) -> None:
    assert (lease.term(), lease.is_joined) == (0, False)
    members.made[0].comes("assign", 0)
    assert (lease.term(), lease.is_joined) == (1, True)
    assert members.made[0].paused == members.made[0].assigned == [TopicPartition(TOPIC, 0)]
    assert lease.term() == 1


def test_who_is_given_nothing_stands_by(lease: Lease, members: Members) -> None:
    members.made[0].comes("assign")
    assert lease.term() == 0


@pytest.mark.parametrize("how", ["revoke", "lost"])
def test_a_term_ends_with_the_partition_and_the_next_one_is_another(
    lease: Lease, members: Members, how: str
) -> None:
    for what in ("assign", how, "assign"):
        members.made[0].comes(what, 0)
    assert [lease.term() for _ in range(3)] == [1, 0, 2]


def test_partitions_that_the_topic_was_given_later_are_no_lease(
    lease: Lease, members: Members
) -> None:
    members.made[0].comes("assign", 1, 2)
    assert lease.term() == 0
    members.made[0].comes("assign", 0)
    members.made[0].comes("revoke", 1)
    assert [lease.term() for _ in range(2)] == [1, 1]


def test_who_gives_up_leaves_the_group_and_joins_it_again_once_another_had_its_turn(
    lease: Lease, members: Members, clock: Clock
) -> None:
    members.made[0].comes("assign", 0)
    assert lease.term() == 1
    lease.give_up()
    assert members.made[0].closed
    members.made[1].comes("assign", 0)
    for passed_s in (0.0, OUT_S - 0.5):
        clock.now_s += passed_s
        assert lease.term() == 0
        assert not members.made[1].joined
    clock.now_s += 0.5
    assert lease.term() == 2


def test_who_cannot_join_again_is_still_the_member_that_it_was(
    lease: Lease, members: Members, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> None:
        raise AccessError("the password's file is away")

    monkeypatch.setattr(lease, "_make", refuse)
    with pytest.raises(AccessError):
        lease.give_up()
    assert not members.made[0].closed
    assert lease.term() == 0


def test_what_keeps_it_from_the_group_is_one_line_in_the_log(
    lease: Lease, members: Members, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(3):
        members.made[0].next.append(lambda: Failed(KafkaError.GROUP_AUTHORIZATION_FAILED))
    assert [lease.term() for _ in range(3)] == [0, 0, 0]
    assert [record.levelno for record in caplog.records] == [logging.WARNING]


def test_a_wait_ends_with_its_term(lease: Lease, members: Members) -> None:
    members.made[0].comes("assign", 0)
    term = Term(lease, lease.term(), threading.Event(), Silence())
    assert not term.wait(0)
    members.made[0].comes("lost", 0)
    assert term.wait(3600)
    members.made[0].comes("assign", 0)
    assert term.wait(3600), "the next term is another"


def test_a_wait_ends_with_the_process(lease: Lease, members: Members) -> None:
    members.made[0].comes("assign", 0)
    stop = threading.Event()
    term = Term(lease, lease.term(), stop, Silence())
    stop.set()
    assert term.wait(3600)


def test_a_wait_ends_with_a_long_silence_and_an_answer_ends_the_silence(
    lease: Lease, members: Members
) -> None:
    members.made[0].comes("assign", 0)
    now_s = [100.0]
    silence = Silence(lambda: now_s[0])
    term = Term(lease, lease.term(), threading.Event(), silence)
    silence.note(answered=False)
    now_s[0] += SILENT_S - 0.5
    silence.note(answered=False)
    assert not term.wait(0)
    silence.note(answered=True)
    now_s[0] += SILENT_S
    silence.note(answered=False)
    assert not term.wait(0)
    now_s[0] += SILENT_S
    assert term.wait(3600)
    assert lease.term() == 1, "it is for its holder to give it up"


@pytest.mark.parametrize(
    ("words", "seconds"), [([], None), (["--lease"], 10), (["--lease", "6"], 6)]
)
def test_without_the_option_a_process_is_alone(words: list[str], seconds: int | None) -> None:
    parser = argparse.ArgumentParser()
    add_lease_argument(parser)
    assert parser.parse_args(words).lease == seconds


@pytest.mark.parametrize("text", ["5", "61", "-1", "6.5", "soon"])
def test_a_lease_that_kafka_would_refuse_is_refused(
    text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    parser = argparse.ArgumentParser()
    add_lease_argument(parser)
    with pytest.raises(SystemExit):
        parser.parse_args([f"--lease={text}"])
    assert "number of seconds from 6 to 60" in capsys.readouterr().err
