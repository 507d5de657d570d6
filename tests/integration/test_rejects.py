"""Rejected events listed, corrected and sent again with `./dev rejects`: at their own time, once, and told by whom."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from uuid import uuid4

from confluent_kafka import Message

from tests.integration.committed import committed
from tests.integration.ledger import Record, Transfer
from tests.integration.running_stack import RunningStack, now_ms, to_rfc3339
from tests.integration.test_pipeline import read_all

DAY_MS = 86_400_000


def test_a_corrected_event_counts_at_its_own_time_and_only_once(
    stack: RunningStack, tmp_path: Path
) -> None:
    at_ms = now_ms() - 2 * DAY_MS
    good = [Transfer(str(uuid4()), "mended-a", "mended-b", f"{n}.50", at_ms + n) for n in range(3)]
    headers = (("trace", b"\x00\xff"), ("none", None))
    bad = [wrong(each, headers) for each in good]
    stack.ledger.rejected += len(bad)
    stack.wait_complete(stack.send(bad))
    window = ("--from", to_rfc3339(at_ms), "--to", to_rfc3339(at_ms + 3))
    listed = rejects(stack, "list", *window, "--reason", "AMOUNT_NOT_A_STRING")
    assert listed.endswith("3 rejected events\n")

    file = tmp_path / "wrong.jsonl"
    assert "3 events to correct" in rejects(stack, "fix", str(file), *window)
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    for line in lines[:2]:
        line["event"]["amount"] = f"{line['event']['amount']:.2f}"
    file.write_text("\n".join(map(json.dumps, lines)))
    mended = {line["event"]["transaction_id"] for line in lines[:2]}

    dry = stack.dev("rejects", "replay", str(file), "--dry-run")
    said = stack.dev("rejects", "replay", str(file), "--by", "ann")
    assert "2 events would be sent again, 1 were not" in dry.stdout
    assert "2 events were sent again, 1 were not" in said.stdout
    assert said.stderr == dry.stderr
    assert "line 3: it would be rejected again: AMOUNT_NOT_A_STRING" in said.stderr
    assert (dry.returncode, said.returncode) == (1, 1)

    stack.ledger.add([each for each in good if each.transaction_id in mended])
    stack.wait_complete(now_ms())
    stack.assert_exact(["mended-a", "mended-b"], (at_ms, at_ms + 3))
    sent = [
        each
        for each in committed(stack.kafka, "transactions", newest=1_000)
        if is_mended(each, mended)
    ]
    assert {(each.key(), each.timestamp()[1]) for each in sent} == {
        (each.transaction_id.encode(), each.time_ms)
        for each in good
        if each.transaction_id in mended
    }
    assert [each.headers() for each in sent] == [sorted(headers)] * 2

    again = stack.dev("rejects", "replay", str(file))
    assert "0 events were sent again, 3 were not" in again.stdout
    assert again.stderr.count("sent again by ann at ") == 2
    assert rejects(stack, "list", *window).count("sent again by ann") == 2
    told = [each for each in read_all(stack, "rejects-replayed") if each["by"] == "ann"]
    assert {each["transaction_id"] for each in told} == mended
    verified = stack.dev("verify")
    assert verified.returncode == 0, verified.stdout + verified.stderr


def rejects(stack: RunningStack, *words: str) -> str:
    said = stack.dev("rejects", *words)
    assert said.returncode == 0, said.stdout + said.stderr
    return said.stdout


def wrong(transfer: Transfer, headers: tuple[tuple[str, bytes | None], ...]) -> Record:
    body: dict[str, Any] = json.loads(transfer.record().value or b"")
    body["amount"] = float(body["amount"])
    key = transfer.transaction_id.encode()
    return Record(json.dumps(body).encode(), transfer.time_ms, key, headers)


def is_mended(message: Message, ids: set[str]) -> bool:
    try:
        body = json.loads(message.value() or b"")
        return body["transaction_id"] in ids and isinstance(body["amount"], str)
    except (ValueError, KeyError, TypeError, RecursionError):  # others send garbage of any depth
        return False
