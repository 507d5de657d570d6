"""An erasure over segments in memory: each replaced once, announced before, and begun again it goes on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import pytest

from stream_jobs.audit.sums import Row
from stream_jobs.erasure.erase import Eraser, ErasureError, classes_of
from stream_jobs.erasure.kafka_keeps import Kept, kept
from stream_jobs.erasure.records import Erasure, Stage
from stream_jobs.erasure.segments import Rewritten
from stream_jobs.erasure.tables import ENTRIES, Held
from stream_jobs.events.erased_rows import ACCOUNT, BOTH, COUNTERPARTY, ErasedRow
from stream_jobs.events.erased_text import Replacement
from stream_jobs.progress.segments import Segment, TableSegments
from stream_jobs.topics.names import NAMES
from stream_jobs.topics.topic import LiveTopic

TABLE = {"t": ENTRIES}
ANN = Replacement("ann", "erased-x")
FINISHED, FILLING = "t__0__0__20261130T2325Z", "t__0__1__20261130T2326Z"
NEXT = "t__0__2__20261130T2327Z"


def row(account: str, other: str, offset: int, direction: str = "SENT") -> Row:
    return Row(account, other, direction, f"id-{offset}", 7, "TRANSFER", "", 0, offset, 5)


@dataclass
class World:
    """Pinot and Kafka in a few lines; `log` is what happened."""

    rows: dict[str, list[Row]]
    filling: set[str]
    log: list[str] = field(default_factory=list)
    records: list[Erasure] = field(default_factory=list)
    announced: list[ErasedRow] = field(default_factory=list)
    lost: int = 0
    on_replace: Callable[[], None] = lambda: None

    def holding(self, table: str, held: Held, account_id: str) -> dict[str, int]:
        found = {name: self.held_in(table, held, name, account_id) for name in self.rows}
        return {name: rows for name, rows in found.items() if rows}

    def held_in(self, table: str, held: Held, segment: str, account_id: str) -> int:
        return sum(
            account_id in (each.account_id, each.counterparty_id) for each in self.rows[segment]
        )

    def sums(self, table: str, held: Held, segment: str) -> list[str]:
        return [str(len(self.rows[segment])), str(sum(each.amount for each in self.rows[segment]))]

    def segments(self, table: str) -> TableSegments:
        known = [Segment(name, name in self.filling, 0, 0, 0, 4) for name in self.rows]
        return TableSegments(tuple(known), {})

    def replicas(self, table: str) -> int:
        return 2

    def commit(self, table: str) -> None:
        self.log.append("commit")
        self.rows[NEXT], self.filling = [], {NEXT}

    def crc(self, table: str, segment: str) -> str:
        return "1"

    def rewrite(self, table: str, held: Held, segment: str, replacement: Replacement) -> Rewritten:
        rows = [
            each
            for each in self.rows[segment]
            if replacement.account_id in (each.account_id, each.counterparty_id)
        ]
        return Rewritten(Path(segment), len(self.rows[segment]) - self.lost, len(rows), rows)

    def replace(self, table: str, rewritten: Rewritten, crc: str) -> None:
        self.log.append(f"replace {rewritten.archive}")
        self.on_replace()
        self.rows[str(rewritten.archive)] = [
            each._replace(
                account_id={"ann": "erased-x"}.get(each.account_id, each.account_id),
                counterparty_id={"ann": "erased-x"}.get(each.counterparty_id, each.counterparty_id),
            )
            for each in self.rows[str(rewritten.archive)]
        ]

    def write(self, erasure: Erasure) -> None:
        self.records.append(erasure)

    def write_rows(self, pseudonym: str, segment: str, rows: Sequence[ErasedRow]) -> None:
        self.log.append(f"announce {segment}")
        self.announced += rows


def world() -> World:
    rows = {
        FINISHED: [row("ann", "bob", 0), row("bob", "ann", 0, "RECEIVED"), row("bob", "cid", 1)],
        FILLING: [row("ann", "ann", 2)],
    }
    return World(rows, {FILLING})


def eraser(over: World, timeout_s: float = 5.0) -> Eraser:
    return Eraser(over, over, over, over, lambda _: None, timeout_s)


def erase(over: World) -> Erasure:
    clock = count(1)
    return eraser(over).erase(TABLE, ANN, "tag", "me", lambda: next(clock))


def test_a_look_changes_nothing() -> None:
    over = world()
    (found,) = eraser(over).look(TABLE, "ann")
    assert (found.total, found.in_filling, found.finished) == (3, 1, [FINISHED])
    assert (over.log, over.records) == ([], [])


def test_every_segment_is_finished_announced_and_replaced_in_this_order() -> None:
    over = world()
    done = erase(over)
    assert over.log == [
        "commit",
        *(f"announce {FINISHED}", f"replace {FINISHED}"),
        *(f"announce {FILLING}", f"replace {FILLING}"),
    ]
    assert done == Erasure("erased-x", "tag", Stage.DONE, 2, "me", {"t": 3}, {"t": 0}, 2)
    assert [each.state for each in over.records] == [Stage.BEGUN, Stage.DONE]
    assert [each.sides for each in over.announced] == [ACCOUNT, COUNTERPARTY, BOTH]
    assert over.rows[FINISHED][2] == row("bob", "cid", 1)


def test_an_announcement_says_what_the_content_hash_gains() -> None:
    over = world()
    erase(over)
    was, now = row("ann", "bob", 0), row("erased-x", "bob", 0)
    assert over.announced[0].mix == now.mix - was.mix
    assert over.announced[0][:4] == (0, 0, 0, "SENT")


def test_begun_again_it_goes_on_where_it_was() -> None:
    over = world()

    def broken() -> None:
        raise OSError("gone")

    over.on_replace = broken
    with pytest.raises(OSError, match="gone"):
        erase(over)
    over.on_replace = lambda: None
    over.log.clear()
    assert erase(over).rows == {"t": 3}
    assert "commit" not in over.log


def test_a_rewritten_segment_with_other_rows_is_not_put_in_place() -> None:
    over = world()
    over.lost = 1
    with pytest.raises(ErasureError, match="has 3 rows, rewritten 2; it stands as it was"):
        erase(over)
    assert over.log == ["commit"]


def test_sums_that_changed_are_told() -> None:
    over = world()

    def damage() -> None:
        over.rows[FINISHED].append(row("x", "y", 9))

    over.on_replace = damage
    with pytest.raises(ErasureError, match="its sums are not what they were"):
        erase(over)


def test_a_segment_behind_which_nothing_is_read_is_left_alone() -> None:
    over = world()
    over.rows.pop(FILLING)
    over.filling = set()
    with pytest.raises(ErasureError, match="nothing is read behind"):
        erase(over)
    assert over.log == []


def test_a_segment_that_no_server_takes_is_told_in_time() -> None:
    over = world()
    over.replace = lambda *_: None  # type: ignore[method-assign]
    with pytest.raises(ErasureError, match="not all its servers have it after 0 s"):
        eraser(over, 0.0).erase(TABLE, ANN, "tag", "me", lambda: 1)


def test_classes_are_those_of_all_segments() -> None:
    moduli = [Segment(f"t__0__{n}__x", False, 0, 0, 0, n) for n in (0, 4, 6)]
    assert classes_of([TableSegments(tuple(moduli), {})]) == 12
    assert classes_of([]) == 1


def test_kafka_keeps_what_it_has_for_the_retention_and_a_log_segment_more() -> None:
    live = {
        NAMES.transactions_topic: LiveTopic(4, {"retention.ms": "-1", "segment.ms": "5"}),
        NAMES.entries_topic: LiveTopic(4, {"retention.ms": "70", "segment.ms": "5"}),
    }
    assert kept(NAMES, live, 1_000) == [
        Kept(NAMES.transactions_topic, None),
        Kept(NAMES.entries_topic, 1_075),
    ]
