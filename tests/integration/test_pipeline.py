"""Events in, answers out: every total and top-10 equals what plain Python says, to the last digit."""

from __future__ import annotations

import base64
import json
import random
import uuid
from collections import Counter
from dataclasses import replace
from typing import Any

import httpx
import pytest

from tests.integration.committed import committed
from tests.integration.ledger import Record, Reversal, Transfer, transfers
from tests.integration.running_stack import PORTS, RunningStack, now_ms, to_rfc3339, wait_until

DAY_MS = 86_400_000
HOUR_MS = 3_600_000
ODD_IDS = [
    "O'Brien",
    "''",
    'say "hi"',
    "100%",
    "%s%d{0}",
    "*",
    "a*b",
    "it's; DROP TABLE account_entries; --",
    "\\",
    "\\'",
    "Nguyễn Văn A",
    "支付宝",
    "💸💸",
    "a  blank inside",
    "null",
    "0",
    "-1",
    "a" * 64,
    "é" * 64,
    "OPTION(timeoutMs=1)",
    "/* comment */",
    "?",
    "q\u0307",
]


@pytest.fixture(scope="module")
def window() -> tuple[int, int]:
    """All the time that any event of these tests falls into."""
    return now_ms() - 100 * DAY_MS, now_ms() + DAY_MS


def test_duplicates_near_and_far_count_once(stack: RunningStack, window: tuple[int, int]) -> None:
    accounts = [f"acct-{number:04d}" for number in range(400)]
    fresh = transfers(1, 30_000, accounts, now_ms() - 60 * DAY_MS, now_ms())
    chance = random.Random(2)
    records = [transfer.record() for transfer in fresh]
    near = [t.record(shouted=chance.random() < 0.5) for t in chance.sample(fresh, 3_000)]
    records += near
    chance.shuffle(records)
    stack.ledger.add(fresh)
    stack.wait_complete(stack.send(records))
    # Far ones: long after the originals' checkpoints.
    stack.wait_complete(stack.send(t.record() for t in chance.sample(fresh, 2_000)))
    ranked = stack.ledger.accounts()
    stack.assert_exact([*ranked[:5], *chance.sample(ranked, 10)], window)
    assert stack.pipeline()["entries"] == 2 * len(stack.ledger.transfers)


def test_windows_of_any_bounds_are_exact(stack: RunningStack) -> None:
    hour = now_ms() // HOUR_MS * HOUR_MS
    spread = transfers(4, 5_000, ["window-a", "window-b", "window-c"], hour - 62 * DAY_MS, hour)
    stack.ledger.add(spread)
    stack.wait_complete(stack.send(t.record() for t in spread))
    for window in (
        (hour - 30 * DAY_MS, hour),
        (hour - 30 * DAY_MS + 1, hour - 1),
        (hour - 7 * HOUR_MS - 123_456, hour + 1),
        (hour - 61 * DAY_MS, hour - 59 * DAY_MS),
    ):
        stack.assert_exact(["window-a"], window)


def test_odd_but_legal_ids_are_accounts_like_any_other(
    stack: RunningStack, window: tuple[int, int]
) -> None:
    odd = transfers(3, 2_000, ODD_IDS, now_ms() - DAY_MS, now_ms())
    stack.ledger.add(odd)
    stack.wait_complete(stack.send(t.record(shouted=n % 2 == 0) for n, t in enumerate(odd)))
    stack.assert_exact(ODD_IDS, window)


def test_a_transfer_to_oneself_is_one_row_each_way(
    stack: RunningStack, window: tuple[int, int]
) -> None:
    own = Transfer("00000000-0000-4000-8000-000000000001", "self", "self", "7.5", now_ms())
    stack.ledger.add([own])
    stack.wait_complete(stack.send([own.record()]))
    stack.assert_exact(["self"], window)


def test_the_largest_amounts_add_up_without_loss(
    stack: RunningStack, window: tuple[int, int]
) -> None:
    large = [
        Transfer(
            f"00000000-0000-4000-9000-{n:012d}",
            "rich",
            "richer",
            "9" * 18 + "." + "9" * 8,
            now_ms(),
        )
        for n in range(2_000)
    ]
    stack.ledger.add(large)
    stack.wait_complete(stack.send(t.record() for t in large))
    stack.assert_exact(["rich", "richer"], window)


BAD: dict[str, tuple[str, bytes | None]] = {
    "no value": ("EMPTY", None),
    "empty": ("EMPTY", b""),
    "not json": ("NOT_JSON", b"{not json"),
    "not utf-8": ("NOT_UTF8", b'{"transaction_id": "\xff\xfe"}'),
    "a list": ("NOT_AN_OBJECT", b"[]"),
    "null": ("NOT_AN_OBJECT", b"null"),
    "too large": ("TOO_LARGE", b'{"x": "' + b"y" * 20_000 + b'"}'),
    "deep": ("NOT_JSON", b"[" * 9_000),
}
GOOD = {
    "from_account_id": "a",
    "to_account_id": "b",
    "transaction_id": "5f4dcc3b-5aa7-45d6-9d83-27deb882cf99",
    "amount": "1.5",
}
BAD_FIELDS = {
    "no amount": ("MISSING_FIELD", "amount", ...),
    "no id": ("MISSING_FIELD", "transaction_id", ...),
    "amount as number": ("AMOUNT_NOT_A_STRING", "amount", 1.5),
    "nine decimals": ("AMOUNT_MALFORMED", "amount", "1.123456789"),
    "nineteen digits": ("AMOUNT_MALFORMED", "amount", "1" * 19),
    "leading zero": ("AMOUNT_MALFORMED", "amount", "01.5"),
    "exponent": ("AMOUNT_MALFORMED", "amount", "1e5"),
    "trailing newline": ("AMOUNT_MALFORMED", "amount", "1.5\n"),
    "other digits": ("AMOUNT_MALFORMED", "amount", "١٢"),
    "negative": ("AMOUNT_MALFORMED", "amount", "-1"),
    "zero": ("AMOUNT_NOT_POSITIVE", "amount", "0.00"),
    "no uuid": ("TRANSACTION_ID_INVALID", "transaction_id", "42"),
    "account too long": ("ACCOUNT_ID_INVALID", "from_account_id", "a" * 65),
    "account empty": ("ACCOUNT_ID_INVALID", "to_account_id", ""),
    "control character": ("ACCOUNT_ID_INVALID", "to_account_id", "a\u0007"),
    "control-like character": ("ACCOUNT_ID_INVALID", "to_account_id", "a\u200bb"),
    "account in another form": ("ACCOUNT_ID_INVALID", "to_account_id", "e\u0301"),
    "blank at the end": ("ACCOUNT_ID_INVALID", "from_account_id", "a "),
    "unknown type": ("TYPE_UNKNOWN", "type", "chargeback"),
    "type in capitals": ("FIELD_MISSPELT", "Type", "reversal"),
    "status": ("FIELD_MISSPELT", "status", "FAILED"),
    "a currency": ("CURRENCY_UNKNOWN", "currency", "JPY"),
    "occurred long ago": ("OCCURRED_AT_INVALID", "occurred_at", "1999-12-31T23:59:59Z"),
}


def bad_records() -> list[tuple[str, Record]]:
    """Every kind of bad event with the reason that it must be refused for."""
    bad = [(reason, Record(value, now_ms())) for reason, value in BAD.values()]
    for reason, name, value in BAD_FIELDS.values():
        body = {**GOOD, name: value}
        if value is ...:
            del body[name]
        bad.append((reason, Record(json.dumps(body).encode(), now_ms())))
    bad.append(("TIME_OUT_OF_RANGE", Record(json.dumps(GOOD).encode(), 1_000)))
    return bad


def test_every_kind_of_bad_event_is_refused_with_its_reason_and_its_bytes(
    stack: RunningStack,
) -> None:
    bad = bad_records()
    before = Counter({r["reason"]: r["count"] for r in stack.pipeline()["rejectedByReason"]})
    stack.ledger.rejected += len(bad)
    stack.wait_complete(stack.send(record for _, record in bad))
    after = Counter({r["reason"]: r["count"] for r in stack.pipeline()["rejectedByReason"]})
    assert after - before == Counter(reason for reason, _ in bad)
    assert stack.pipeline()["rejected"] == stack.ledger.rejected
    assert stack.pipeline()["entries"] == 2 * len(stack.ledger.transfers)
    sent = Counter((reason, record.value or b"") for reason, record in bad)
    kept = Counter(
        (value["reason"], base64.b64decode(value["payload_base64"]))
        for value in read_all(stack, "transactions-rejected")
    )
    assert sent <= kept


@pytest.mark.parametrize("compression", ["gzip", "snappy", "lz4", "zstd"])
def test_producers_may_compress_as_they_like(
    stack: RunningStack, window: tuple[int, int], compression: str
) -> None:
    account = f"compressed-{compression}"
    some = transfers(6, 500, [account, "other"], now_ms() - DAY_MS, now_ms())
    some = [
        replace(t, transaction_id=str(uuid.uuid5(uuid.NAMESPACE_OID, f"{compression}{n}")))
        for n, t in enumerate(some)
    ]
    stack.ledger.add(some)
    large = Record(b"0" * 900_000, now_ms())
    stack.ledger.rejected += 1
    stack.wait_complete(stack.send([*(t.record() for t in some), large], compression))
    stack.assert_exact([account], window)
    assert stack.pipeline()["rejected"] == stack.ledger.rejected


def test_an_event_counts_at_the_time_at_which_it_occurred(stack: RunningStack) -> None:
    at_ms = now_ms() - 3 * DAY_MS
    late = Transfer(str(uuid.uuid4()), "late-payer", "late-payee", "12.5", at_ms)
    stack.ledger.add([late])
    body = {**json.loads(late.record().value or b""), "occurred_at": to_rfc3339(at_ms)}
    body["amount"] = "12.500000000"
    stack.wait_complete(stack.send([Record(json.dumps(body).encode(), now_ms())]))
    for window in ((at_ms, at_ms + 1), (at_ms - 1, at_ms), (at_ms + 1, now_ms() + DAY_MS)):
        stack.assert_exact(["late-payer", "late-payee"], window)


def test_a_rejected_event_keeps_its_key_and_headers_also_if_it_was_held_before(
    stack: RunningStack,
) -> None:
    headers: tuple[tuple[str, bytes | None], ...] = (("trace", b"\x00\xff"), ("none", None))
    said = Transfer(str(uuid.uuid4()), "keyed-payer", "keyed-payee", "5", now_ms())
    wrong = Reversal(str(uuid.uuid4()), said, now_ms()).record(amount="4")
    held = replace(wrong, key=b"\xfe held", headers=headers)
    bad = Record(b"rejected at once", now_ms(), b"", headers[:1])
    bare = Record(b"rejected at once, with nothing beside it", now_ms())
    stack.wait_complete(stack.send([held, bad, bare]))
    stack.ledger.add([said])
    stack.ledger.rejected += 3
    stack.wait_complete(stack.send([said.record()]))
    kept = {
        base64.b64decode(value["payload_base64"]): (value["key_base64"], value["headers"])
        for value in read_all(stack, "transactions-rejected")
    }
    assert kept[bare.value or b""] == (None, None)
    assert kept[bad.value or b""] == ("", '{"trace":"AP8="}')
    key, texts = kept[held.value or b""]
    assert base64.b64decode(key) == held.key
    assert json.loads(texts) == {"trace": "AP8=", "none": None}


def test_each_event_is_judged_once(stack: RunningStack) -> None:
    rest = f"http://127.0.0.1:{PORTS['STACK_FLINK_REST_PORT']}"
    jobs = httpx.get(f"{rest}/jobs/overview", trust_env=False).json()["jobs"]
    job = next(each["jid"] for each in jobs if each["state"] == "RUNNING")
    plan = httpx.get(f"{rest}/jobs/{job}/plan", trust_env=False).text
    assert plan.count("judge(") == 1


def test_received_and_sent_are_the_same_sum(stack: RunningStack) -> None:
    some = transfers(5, 1_000, ["sum-a", "sum-b"], now_ms() - DAY_MS, now_ms())
    stack.ledger.add(some)
    stack.wait_complete(stack.send(t.record() for t in some))
    sums: dict[str, int] = Counter()
    for entry in read_all(stack, "account-entries"):
        whole, _, tail = entry["amount"].partition(".")
        sums[entry["direction"]] += int(whole + tail.ljust(8, "0"))
    assert sums["RECEIVED"] == sums["SENT"] > 0


def test_a_quiet_topic_is_fresh(stack: RunningStack) -> None:
    wait_until(lambda: stack.pipeline()["freshnessSeconds"] < 5, 60, "an idle night is not fresh")
    first = stack.pipeline()["asOf"]
    wait_until(lambda: stack.pipeline()["asOf"] > first, 30, "asOf stands still")


def read_all(stack: RunningStack, topic: str) -> list[dict[str, Any]]:
    """Every committed record of a topic, decoded."""
    return [json.loads(each.value() or b"null") for each in committed(stack.kafka, topic)]
