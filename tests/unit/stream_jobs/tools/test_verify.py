"""Verify finds what differs, forgives what moves, and says so."""

from __future__ import annotations

import json
import random
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from stream_jobs.audit.coverage import Settled
from stream_jobs.audit.once import Following
from stream_jobs.events.money import unscaled
from stream_jobs.tools import verify
from stream_jobs.tools.counted import Transfer
from stream_jobs.tools.reference_answers import (
    DIRECTIONS,
    RANKINGS,
    Direction,
    Row,
    Window,
    counterparties,
    ranked,
    totals,
)
from stream_jobs.tools.verify import Verification, VerifyError
from stream_jobs.tools.verify_answers import Ask, Gateway, GraphQLError, milliseconds
from stream_jobs.tools.verify_report import Report
from stream_jobs.topics.names import NAMES
from tests.audit_job import Job
from tests.audit_tiers import RAW, MemoryKafka, MemoryReader
from tests.filled import fill_erased, name_of

PAST_MS = 1_760_000_000_000


class World:
    """Topics and a job in memory, and a GraphQL that answers from `counted`; a test bends any of them."""

    def __init__(self) -> None:
        self.kafka = MemoryKafka(partitions=2)
        self.job = Job(self.kafka)
        self.counted: list[Transfer] = []
        self.rejected = 0
        self.behind_ms = -1000
        self.exact = True
        self.errors: list[str] = []
        self.asked = 0
        self._audits: list[Following] = []

    def send(
        self, partition: int, transfer: Transfer, transaction_id: str, *, counts: bool
    ) -> None:
        value = {
            "from_account_id": transfer.from_account_id,
            "to_account_id": transfer.to_account_id,
            "transaction_id": transaction_id,
            "amount": unscaled(transfer.amount),
        }
        self.kafka.append(RAW, partition, transfer.time_ms, json.dumps(value).encode())
        self.job.run()
        if counts:
            self.counted.append(transfer)

    def verification(self, ask: Ask) -> Verification:
        def audit(settled: Callable[[Settled], None]) -> Following:
            reader = partial(MemoryReader, self.kafka)
            self._audits.append(Following(self.kafka, reader, NAMES, settled))
            return self._audits[-1]

        ends = partial(self.kafka.ends, RAW)
        return Verification(audit, ends, Gateway(ask), lambda _: None, timeout_s=0.3)

    def close(self) -> None:
        for audit in self._audits:
            audit.close()

    def ask(self, document: str, variables: Mapping[str, Any]) -> Any:
        self.asked += 1
        if self.errors:
            return {"errors": [{"message": "no", "extensions": {"code": self.errors.pop()}}]}
        as_of = datetime.fromtimestamp((verify.now_ms() - self.behind_ms) / 1000, UTC).isoformat()
        if "pipeline" in document:
            pipeline = {
                "asOf": as_of,
                "entries": 2 * len(self.counted),
                "rejected": self.rejected,
            }
            return {"data": {"pipeline": pipeline, "limits": {"maxWindowDays": 3660}}}
        between = variables["window"]["between"]
        window = Window(milliseconds(between["start"]), milliseconds(between["end"]))
        answer = {"asOf": as_of, "exact": self.exact}
        if "network" in document:
            inside = [t.amount for t in self.counted if t.time_ms in window]
            whole = {
                "transactionCount": len(inside),
                "transactionAmount": unscaled(sum(inside)),
            }
            return {"data": {"network": {d: {**answer, **whole} for d in DIRECTIONS}}}
        return {"data": {"account": self._account(variables["id"], window, answer)}}

    def _account(self, account_id: str, window: Window, answer: dict[str, Any]) -> dict[str, Any]:
        parts: dict[str, Any] = {}
        for direction in DIRECTIONS:
            rows = counterparties(self.counted, account_id, direction, window)
            parts[direction] = {**answer, **_remainder(rows)}
            for ranking in RANKINGS:
                parts[f"{direction}_{ranking}"] = {**answer, **_top(rows, ranking, direction)}
        return parts


def _top(rows: list[Row], ranking: str, _direction: Direction) -> dict[str, Any]:
    in_order = ranked(rows, ranking)
    return {
        "rows": [
            {
                "rank": rank,
                "accountId": row.account_id,
                "transactionCount": row.count,
                "transactionAmount": unscaled(row.amount),
            }
            for rank, row in enumerate(in_order[:10], start=1)
        ],
        "others": _remainder(in_order[10:]),
        "total": _remainder(in_order),
    }


def _remainder(rows: list[Row]) -> dict[str, Any]:
    whole = totals(rows)
    return {
        "transactionCount": whole.count,
        "transactionAmount": unscaled(whole.amount),
        "counterpartyCount": whole.counterparties,
    }


@pytest.fixture
def nothing() -> Iterator[World]:
    world = World()
    yield world
    world.close()


@pytest.fixture
def world(nothing: World) -> World:
    dice = random.Random(7)
    for number in range(300):
        transfer = Transfer(
            f"payer-{dice.randrange(30)}",
            f"payee-{dice.randrange(4)}",
            dice.randrange(1, 10**20),
            PAST_MS + number * 1000,
        )
        transaction_id = str(uuid.UUID(int=dice.getrandbits(128)))
        nothing.send(number % 2, transfer, transaction_id, counts=True)
        if number % 10 == 0:
            nothing.send(number % 2, transfer, transaction_id.upper(), counts=False)
    nothing.kafka.append(RAW, 0, PAST_MS, b"garbage")
    nothing.job.run()
    nothing.rejected = 1
    return nothing


def _run(world: World) -> Report:
    return world.verification(world.ask).run(5, seed=1)


def test_equal_figures_are_exact(world: World) -> None:
    report = _run(world)
    assert report.differences == []
    assert (report.events, report.transfers, report.duplicates, report.rejected) == (
        331,
        300,
        30,
        1,
    )
    assert report.as_text().startswith("exact: 331 events: 300 transfers")


@pytest.mark.parametrize("number", [0, 150, 299])
def test_a_lost_transfer_is_found(world: World, number: int) -> None:
    del world.counted[number]
    report = _run(world)
    assert "pipeline.entries: expected 600, GraphQL says 598" in report.differences
    assert any(line.startswith("whole system, SENT: expected 300 x") for line in report.differences)


def test_one_changed_digit_is_found_by_account(world: World) -> None:
    changed = world.counted[0]
    world.counted[0] = Transfer(
        changed.from_account_id, changed.to_account_id, changed.amount + 1, changed.time_ms
    )
    report = _run(world)
    assert any(
        line.startswith(f"{changed.to_account_id!r}: RECEIVED") for line in report.differences
    )


def test_a_swapped_account_is_found(world: World) -> None:
    swapped = world.counted[3]
    world.counted[3] = Transfer("payer-x", swapped.to_account_id, swapped.amount, swapped.time_ms)
    report = _run(world)
    assert any("top 10 by" in line or "totals" in line for line in report.differences)


def test_a_wrong_count_of_rejected_is_found(world: World) -> None:
    world.rejected = 2
    assert _run(world).differences == ["pipeline.rejected: expected 1, GraphQL says 2"]


def test_of_two_differing_records_of_an_id_the_outcomes_say_which_counted(world: World) -> None:
    transaction_id = str(uuid.uuid4())
    world.send(1, Transfer("p", "q", 2 * 10**8, PAST_MS + 1), transaction_id, counts=True)
    world.send(0, Transfer("p", "q", 10**8, PAST_MS), transaction_id, counts=False)
    assert _run(world).differences == []


def test_what_was_filled_after_an_erasure_is_expected_by_its_pseudonym(
    world: World, tmp_path: Path
) -> None:
    erased, name = "payee-1", name_of("payee-1", 2)
    fill_erased(world.kafka, tmp_path, [erased])
    assert any(repr(name) in line for line in _run(world).differences)
    world.counted = [
        replace(each, to_account_id=name) if each.to_account_id == erased else each
        for each in world.counted
    ]
    assert _run(world).differences == []


def test_a_record_without_an_outcome_is_a_difference_whatever_graphql_says(world: World) -> None:
    for log in world.kafka.logs["transactions-uncounted"]:
        log.clear()
    report = _run(world)
    assert "and 10 more raw records with wrong outcomes" in report.differences
    assert sum("LOST" in line for line in report.differences) == 20


def test_where_kafka_has_aged_the_windows_begin_where_it_has_all(world: World) -> None:
    world.rejected = 99  # of which nobody can tell any more
    for partition in range(2):
        world.kafka.firsts[RAW, partition] = 10
    for number in range(5):
        transfer = Transfer("payer-1", "payee-1", 7, PAST_MS + 86_400_000 + number)
        world.send(0, transfer, str(uuid.uuid4()), counts=True)
    report = _run(world)
    assert report.differences == []
    assert not report.whole
    assert "no longer has all" in report.as_text()
    world.counted[-1] = Transfer("payer-1", "payee-1", 8, PAST_MS + 86_400_000)
    assert _run(world).differences != []


def test_what_arrives_while_it_compares_does_not_disturb(world: World) -> None:
    ask = world.ask

    def while_traffic_flows(document: str, variables: Mapping[str, Any]) -> Any:
        if world.asked % 3 == 0:
            transfer = Transfer("payer-1", "payee-1", 5, PAST_MS + world.asked)
            if "account" in document:
                transfer = Transfer("payer-1", "payee-1", 5, verify.now_ms())
            world.send(0, transfer, str(uuid.uuid4()), counts=True)
        return ask(document, variables)

    assert world.verification(while_traffic_flows).run(5, seed=1).differences == []


def test_an_answer_that_stays_behind_is_no_comparison(world: World) -> None:
    world.behind_ms = 60_000
    with pytest.raises(VerifyError, match=r"\d\d\.\d s behind"):
        _run(world)


def test_a_store_that_is_away_for_a_moment_is_asked_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stream_jobs.tools.verify_answers.time.sleep", lambda _: None)
    world.errors = ["BACKEND_UNAVAILABLE"] * 3
    assert _run(world).differences == []


def test_a_refused_question_is_not_asked_again(world: World) -> None:
    world.errors = ["BAD_USER_INPUT"]
    with pytest.raises(GraphQLError, match="no"):
        _run(world)


def test_an_inexact_answer_is_no_comparison(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stream_jobs.tools.verify_answers.ASK_AGAIN_FOR_S", 0.1)
    world.exact = False
    with pytest.raises(GraphQLError, match="exact"):
        _run(world)


def test_an_empty_topic_is_exact(nothing: World) -> None:
    assert _run(nothing).as_text().startswith("exact: 0 events")
