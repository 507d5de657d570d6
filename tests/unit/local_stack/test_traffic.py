"""The sample traffic has what it promises: skewed accounts, duplicates near and late, every kind of garbage."""

from __future__ import annotations

import threading
import time
from collections import Counter, defaultdict

from local_stack.traffic import GARBAGE, Event, Traffic, run
from stream_jobs.events.reasons import BY_OTHERS, RejectReason
from stream_jobs.events.rejection import Rejection
from stream_jobs.events.rules import TransactionEvent, judge

NOW_MS = 1_700_000_000_000
RATE = 1_000


def _events(seconds: int) -> list[tuple[int, Event]]:
    traffic = Traffic(seed=1)
    return [(second, e) for second in range(seconds) for e in traffic.events(RATE, float(second))]


def test_the_shares_are_as_promised() -> None:
    events = _events(100)
    judged = [(second, judge(event.value, NOW_MS)) for second, event in events]
    seen: dict[str, list[int]] = defaultdict(list)
    payees: Counter[str] = Counter()
    for second, verdict in judged:
        if isinstance(verdict, TransactionEvent):
            seen[verdict.transaction_id].append(second)
            payees[verdict.to_account_id] += 1
    garbage = [verdict for _, verdict in judged if isinstance(verdict, Rejection)]
    duplicates = sum(len(seconds) - 1 for seconds in seen.values())
    late = sum(seconds[-1] - seconds[0] > 5 for seconds in seen.values())
    assert 0.0015 < len(garbage) / len(events) < 0.003
    assert 0.035 < duplicates / len(events) < 0.06
    assert late > 500
    assert payees.most_common(1)[0][1] > 30 * payees.total() / len(payees)


def test_reversals_come_before_and_after_their_transfers_and_a_few_do_not_fit() -> None:
    judged = [judge(event.value, NOW_MS) for _, event in _events(100)]
    said = [each for each in judged if isinstance(each, TransactionEvent)]
    reversals = [each for each in said if each.reverses]
    transfers = {each.transaction_id: each for each in said if not each.reverses}
    early, known = 0, set()
    for each in said:
        early += each.reverses is not None and each.reverses not in known
        known.add(each.transaction_id)
    undone = [(each, transfers[each.reverses]) for each in reversals if each.reverses in transfers]
    wrong = sum(each.amount != of.amount for each, of in undone)
    assert 0.0015 < len(reversals) / len(said) < 0.0025
    assert 0.1 < early / len(reversals) < 0.3
    assert 0.01 < wrong / len(reversals) < 0.1
    assert all(each.from_account_id == of.from_account_id for each, of in undone)
    assert len(undone) > 0.95 * len(reversals)


def test_an_event_and_its_duplicates_share_a_key() -> None:
    keys: dict[bytes | None, set[str]] = defaultdict(set)
    for _, event in _events(10):
        if isinstance(judge(event.value, NOW_MS), TransactionEvent):
            keys[event.value].add(event.key)
    assert {len(found) for found in keys.values()} == {1}


def test_every_kind_of_garbage_is_rejected_for_many_reasons() -> None:
    good = next(e.value for _, e in _events(1) if e.value and e.value.startswith(b"{"))
    verdicts = [judge(spoil(good), NOW_MS) for spoil in GARBAGE]
    reasons = {verdict.reason for verdict in verdicts if isinstance(verdict, Rejection)}
    assert all(isinstance(verdict, Rejection) for verdict in verdicts)
    missing = {
        RejectReason.TIME_OUT_OF_RANGE,
        RejectReason.MISSING_FIELD,
        RejectReason.FIELD_MISSPELT,
        RejectReason.CURRENCY_UNKNOWN,
        RejectReason.OCCURRED_AT_INVALID,
    }
    assert reasons == set(RejectReason) - missing - BY_OTHERS


def test_the_same_seed_sends_the_same_events() -> None:
    assert list(Traffic(5).events(100, 0.0)) == list(Traffic(5).events(100, 0.0))
    assert list(Traffic(5).events(100, 0.0)) != list(Traffic(6).events(100, 0.0))


def run_until(count: int, traffic: Traffic, rate: float) -> list[Event]:
    """What is sent by a run that is stopped after `count` events."""
    sent: list[Event] = []
    stop = threading.Event()

    def take(event: Event) -> None:
        sent.append(event)
        if len(sent) == count:
            stop.set()

    assert run(take, traffic, rate, stop) == len(sent)
    return sent


def test_the_pace_is_kept_until_it_is_stopped() -> None:
    started_s = time.monotonic()
    assert len(run_until(500, Traffic(1), 2_000)) >= 500
    assert time.monotonic() - started_s >= 500 / 2_000  # never ahead of its time


def test_no_reversal_is_left_waiting_when_the_traffic_stops() -> None:
    sent = run_until(20_000, Traffic(3), 1_000_000)
    assert len(sent) > 20_000
    said = [judge(event.value, NOW_MS) for event in sent]
    events = [each for each in said if isinstance(each, TransactionEvent)]
    transfers = {each.transaction_id for each in events if not each.reverses}
    assert {each.reverses for each in events if each.reverses} <= transfers
