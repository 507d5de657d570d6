"""Buckets in Redis, where what answers there is no bucket."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any, cast

import pytest

from gateway.access.budget.balance import Rate
from gateway.access.budget.local import LocalBudget
from gateway.access.budget.shared import RETRY_S, SharedBudget

pytestmark = pytest.mark.anyio
RATE = Rate(1_000, 5_000)


class Answering:
    """A client to which any reply comes, or none."""

    def __init__(self, reply: Any) -> None:
        self.reply = reply
        self.asked = 0

    def register_script(self, _: str) -> Any:
        return self._take

    async def _take(self, **_: object) -> Any:
        self.asked += 1
        if isinstance(self.reply, Exception):
            raise self.reply
        return self.reply


@pytest.mark.parametrize(
    "reply",
    [
        *(None, b"OK", 5, [], [1], [1, 0, b"1", 4], [[1], 2, b"3"], [1, b"a", b"b"]),
        *([1, 0, b"inf"], [1, 0, b"nan"], [1, b"9" * 400, b"0"]),
        *(ValueError("$zz"), RecursionError(), OverflowError()),
    ],
)
async def test_no_charge_fails_of_what_redis_says(reply: Any) -> None:
    client, counted = Answering(reply), list[str]()
    now_s = 100.0
    budget = SharedBudget(RATE, cast("Any", client), lambda: now_s, counted.append)
    own = LocalBudget(RATE, lambda: now_s)
    for cost in (7, 12):
        charged = budget.charge("key:alice", cost)
        found = await charged if isinstance(charged, Awaitable) else charged
        assert found == own.charge("key:alice", cost)
    assert (client.asked, counted) == (1, ["fallback"] * 2), "it is left alone for a while"
    now_s += RETRY_S
    client.reply = [1, 40, b"900.5"]
    charged = budget.charge("key:alice", 7)
    assert isinstance(charged, Awaitable)
    assert (await charged).remaining == 940
