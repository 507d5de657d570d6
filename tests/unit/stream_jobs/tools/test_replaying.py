"""Replays: each corrected event once, unless it is asked for again, and told who did it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import orjson
import pytest

from stream_jobs.events.settings import DEFAULT
from stream_jobs.tools import rejects
from stream_jobs.tools.rejected_events import (
    Corrected,
    Place,
    RejectedEvent,
    Wanted,
    editable,
)
from stream_jobs.tools.replaying import Outcome, Replayed, listed, replay, to_correct
from tests.unit.stream_jobs.events.one_event import EVENT, NOW_MS

GOOD = json.dumps(EVENT).encode()


def rejected(offset: int, value: bytes = b"x") -> RejectedEvent:
    place = Place(offset % 2, offset)
    return RejectedEvent(
        place, "NOT_JSON", "why", NOW_MS + offset, b"key", {"trace": b"1"}, value, len(value)
    )


def line(offset: int, value: bytes = GOOD) -> bytes:
    return editable(rejected(offset, value))


@dataclass
class MemoryRejects:
    """`Rejects` in lists; `transactions` has the size of each."""

    events: list[RejectedEvent]
    log: list[Replayed] = field(default_factory=list)
    sent: list[Corrected] = field(default_factory=list)
    transactions: list[int] = field(default_factory=list)
    fenced: int = 0

    def fence(self) -> None:
        self.fenced += 1

    def rejected(self) -> Iterable[RejectedEvent]:
        return iter(self.events)

    def replayed(self) -> Iterable[Replayed]:
        return iter(list(self.log))

    def send(self, events: Sequence[tuple[Corrected, Replayed]]) -> None:
        assert self.fenced
        self.transactions.append(len(events))
        self.sent += [each for each, _ in events]
        self.log += [told for _, told in events]

    def replay(
        self, *lines: bytes, again: bool = False, dry_run: bool = False, by: str = "ann"
    ) -> Outcome:
        return replay(lines, self, DEFAULT, by, NOW_MS, again=again, dry_run=dry_run)


def test_a_corrected_event_is_sent_with_its_time_key_and_headers_and_told() -> None:
    stack = MemoryRejects([rejected(1), rejected(2)])
    outcome = stack.replay(line(2))
    assert outcome.refused == []
    (sent,) = stack.sent
    assert (sent.place, sent.recorded_ms, sent.key) == (Place(0, 2), NOW_MS + 2, b"key")
    assert (sent.headers, orjson.loads(sent.value)) == ({"trace": b"1"}, EVENT)
    (told,) = stack.log
    assert told.place == Place(0, 2)
    assert (told.by, told.replayed_at_ms, told.reason) == ("ann", NOW_MS, "NOT_JSON")
    assert told.transaction_id == EVENT["transaction_id"].lower()
    assert told.value_sha256 == hashlib.sha256(sent.value).hexdigest()


def test_what_was_sent_again_is_not_sent_a_third_time_unless_it_is_asked_for() -> None:
    stack = MemoryRejects([rejected(1)])
    stack.replay(line(1))
    outcome = stack.replay(line(1), by="bob")
    assert outcome.refused == [(1, "sent again by ann at 2023-11-14T22:13:20.000Z")]
    assert len(stack.sent) == 1
    stack.replay(line(1), by="bob", again=True)
    assert [told.by for told in stack.log] == ["ann", "bob"]


def test_one_file_sends_an_event_once() -> None:
    stack = MemoryRejects([rejected(1)])
    for again in (False, True):
        stack.sent.clear()
        stack.log.clear()
        outcome = stack.replay(line(1), line(1), again=again)
        assert outcome.refused == [(2, "line 1 is about the same rejected event")]
        assert len(stack.sent) == 1


def test_lines_that_would_not_count_are_told_by_number_and_the_others_sent() -> None:
    stack = MemoryRejects([rejected(offset) for offset in range(4)])
    outcome = stack.replay(line(0, b"still wrong"), b"no line", line(9), line(3))
    assert [number for number, _ in outcome.refused] == [1, 2, 3]
    assert [each.place.kafka_offset for each in stack.sent] == [3]


def test_a_dry_run_says_the_same_and_sends_nothing() -> None:
    stack = MemoryRejects([rejected(0), rejected(1)])
    lines = (line(0), line(1, b"wrong"))
    said = stack.replay(*lines, dry_run=True)
    assert (stack.sent, stack.log, stack.fenced) == ([], [], 0)
    assert said == stack.replay(*lines)


def test_many_are_sent_in_transactions_of_a_thousand() -> None:
    stack = MemoryRejects([rejected(offset) for offset in range(2_500)])
    stack.replay(*[line(offset) for offset in range(2_500)])
    assert stack.transactions == [1_000, 1_000, 500]


def test_the_list_has_the_newest_in_their_order_and_says_what_was_sent_again() -> None:
    stack = MemoryRejects([rejected(2), rejected(3, b"caf\xe9\n"), rejected(1)])
    stack.replay(line(3))
    lines = list(listed(stack, Wanted(), 2))
    assert lines[0] == "2023-11-14T22:13:20.002Z  0:2  NOT_JSON: why  'x'"
    assert lines[1].endswith(
        r"1:3  NOT_JSON: why  'caf\ufffd\n'  sent again by ann at 2023-11-14T22:13:20.000Z"
    )
    assert lines[2] == "3 rejected events, the newest 2 shown"
    assert list(listed(stack, Wanted(reasons=frozenset({"EMPTY"})), 2)) == ["0 rejected events"]


def test_only_what_was_not_sent_again_is_written_to_be_corrected() -> None:
    stack = MemoryRejects([rejected(1), rejected(2), rejected(3)])
    stack.replay(line(2))
    places = [
        orjson.loads(each)["kafka_offset"] for each in to_correct(stack, Wanted(last_offset=2))
    ]
    assert places == [1]


def test_a_file_is_never_written_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "rejects.jsonl"
    file.write_text("edited by hand")
    assert rejects.main(["--kafka", "127.0.0.1:1", "fix", str(file)]) == 2
    assert capsys.readouterr().err == f"rejects: {file} exists; name a new file\n"
    assert file.read_text() == "edited by hand"


@pytest.mark.parametrize(
    "words",
    [
        *(["list", "--from", "yesterday"], ["list", "--offset", "x"], ["list", "--reason", "X"]),
        *(["replay"], ["fix"], []),
    ],
)
def test_wrong_arguments_are_refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        rejects.main(["--kafka", "127.0.0.1:1", *words])
    assert ended.value.code == 2
    assert "usage" in capsys.readouterr().err
