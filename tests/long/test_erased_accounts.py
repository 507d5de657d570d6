"""What comes for an erased account afterwards, by each setting of the job, over restarts and while a worker is killed.

`./dev test tests/long/test_erased_accounts.py`.
"""

from __future__ import annotations

import base64
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any
from uuid import uuid4

import pytest

from stream_jobs.topics.names import NAMES
from tests.integration.ledger import Record, Reversal, Transfer, transfers
from tests.integration.running_stack import RunningStack, now_ms, wait_until
from tests.integration.test_pipeline import read_all

DAY_MS, HOUR_MS = 86_400_000, 3_600_000
ERASED = "gone-for-good-1"
OTHERS = [f"{ERASED}2", "remains-a", "remains-b"]
AUDIT = "{ pipeline { audit { state consistentThrough openMismatches { kind transactionIds } } } }"


@pytest.fixture
def setting(stack: RunningStack) -> Iterator[RunningStack]:
    """The stack, whose setting is as it was afterwards."""
    yield stack
    start_with(stack, "kept")


def start_with(stack: RunningStack, what: str) -> None:
    said = stack.dev("down")
    assert said.returncode == 0, said.stdout
    stack.settings["STACK_ERASED_ACCOUNTS"] = what
    stack.up()
    stack.wait_complete(now_ms(), 240)


def test_what_comes_for_an_erased_account_becomes_what_is_set(setting: RunningStack) -> None:
    stack = setting
    hour_ms = (now_ms() - 2 * DAY_MS) // HOUR_MS * HOUR_MS
    window = (hour_ms, hour_ms + HOUR_MS)
    start_with(stack, "pseudonymised")
    before = transfers(31, 200, [ERASED, *OTHERS], *window)
    own = [each for each in before if ERASED in (each.from_account_id, each.to_account_id)]
    stack.ledger.add(before)
    stack.wait_complete(stack.send([each.record() for each in before]))
    # It is running, and learns of the erasure by itself.
    name = erase(stack, "--apply")["pseudonym"]
    stack.ledger.rename(ERASED, name)

    late = events_of(window)
    undone = Reversal(str(uuid4()), own[0], own[0].time_ms)
    records = [each.record(shouted=number % 2 == 0) for number, each in enumerate(late)]
    send_through_a_kill(
        stack,
        [*records, *records, undone.record(), *(each.record() for each in own), wrong(window)],
    )
    stack.ledger.add([*late, undone.effect])
    stack.ledger.rename(ERASED, name)
    stack.ledger.rejected += 1
    assert_right(stack, name, window)
    told = duplicates(stack)
    assert [told[each.transaction_id] for each in own] == [1] * len(own)
    assert [told[each.transaction_id] for each in late] == [1] * len(late)

    start_with(stack, "refused")
    refused = events_of(window)
    again = Reversal(str(uuid4()), own[1], own[1].time_ms)
    send_through_a_kill(
        stack,
        [
            *(each.record() for each in refused),
            again.record(),
            *(each.record() for each in own),
            undone.record(),
        ],
    )
    of_others = [
        each for each in refused if ERASED not in (each.from_account_id, each.to_account_id)
    ]
    stack.ledger.add(of_others)
    ids = {each.transaction_id for each in refused} - {each.transaction_id for each in of_others}
    stack.ledger.rejected += len(ids) + 1
    assert_right(stack, name, window)
    rejected = [
        each for each in read_all(stack, NAMES.rejected_topic) if each["reason"] == "ACCOUNT_ERASED"
    ]
    payloads = [json.loads(base64.b64decode(each["payload_base64"])) for each in rejected]
    assert {each["transaction_id"] for each in payloads} == {*ids, again.transaction_id}
    assert len(payloads) == len(ids) + 1
    assert all(name in (each["from_account_id"], each["to_account_id"]) for each in payloads)
    told = duplicates(stack)
    assert [told[each.transaction_id] for each in own] == [2] * len(own)

    start_with(stack, "kept")
    kept = Transfer(str(uuid4()), ERASED, "remains-a", "3", hour_ms)
    stack.wait_complete(stack.send([kept.record()]))
    stack.ledger.add([kept])
    assert erase(stack)["held"] == {"account_entries": 2, "transactions_rejected": 0}
    assert_agreed(stack)


def events_of(window: tuple[int, int]) -> list[Transfer]:
    """Of the erased account from and to others, of it with itself, and of others alone."""
    sides = [
        (ERASED, "remains-a"),
        ("remains-b", ERASED),
        (ERASED, ERASED),
        ("remains-a", OTHERS[0]),
    ]
    return [
        Transfer(str(uuid4()), payer, payee, f"{number + 1}.5", window[0] + number)
        for number in range(8)
        for payer, payee in sides
    ]


def wrong(window: tuple[int, int]) -> Record:
    body = {
        "from_account_id": ERASED,
        "to_account_id": "remains-a",
        "amount": 7,
        "memo": f"of {ERASED}",
    }
    return Record(json.dumps({**body, "transaction_id": str(uuid4())}).encode(), window[0])


def send_through_a_kill(stack: RunningStack, records: Sequence[Record]) -> None:
    """The worker dies in the middle of them, and what it had not committed is judged once more."""
    half = len(records) // 2
    stack.send(records[:half])
    restarts = stack.kill("flink_taskmanager")
    sent_ms = stack.send(records[half:])
    stack.wait_restarted("flink_taskmanager", restarts)
    stack.wait_complete(sent_ms, 240)


def assert_right(stack: RunningStack, name: str, window: tuple[int, int]) -> None:
    """All totals are exact, nothing has the id, and whoever compares agrees."""
    stack.assert_exact([name, ERASED, *OTHERS], window)
    assert erase(stack)["held"] == {"account_entries": 0, "transactions_rejected": 0}
    assert stack.pipeline()["rejected"] == stack.ledger.rejected
    assert_agreed(stack)


def assert_agreed(stack: RunningStack) -> None:
    for command in ("verify", "repair"):
        said = stack.dev(command)
        assert said.returncode == 0, said.stdout + said.stderr
    audit: dict[str, Any] = {}

    def agrees() -> bool:
        audit.update(stack.ask(AUDIT)["pipeline"]["audit"])
        return bool(audit["state"] == "CONSISTENT")

    wait_until(agrees, 120, f"the audit does not agree: {audit}")
    assert audit["openMismatches"] == []


def duplicates(stack: RunningStack) -> Counter[str]:
    """How often each id was called a duplicate."""
    told = read_all(stack, NAMES.uncounted_topic)
    return Counter(each["transaction_id"] for each in told if each["outcome"] == "DUPLICATE")


def erase(stack: RunningStack, *options: str) -> dict[str, Any]:
    said = stack.dev("erase", "-", "--json", *options, stdin=f"{ERASED}\n")
    assert said.returncode == 0, said.stdout + said.stderr
    body: dict[str, Any] = json.loads(said.stdout)
    return body
