"""The tests' own means: after `settle` everybody waits, at whatever step a thread beside the loop ends."""

from __future__ import annotations

import asyncio
import threading

import pytest

from gateway.documents.preparation import Preparation, Prepared
from tests.unit.gateway.served import STEPS, TOTALS, Gateway, settle

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("step", range(1, 2 * STEPS, 3))
async def test_who_waited_for_a_check_has_come_as_far_as_the_store_whenever_it_ends(
    step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_end, ended = threading.Event(), threading.Event()
    check = Preparation.check

    def slow(self: Preparation, text: str) -> Prepared:
        assert may_end.wait(10)
        try:
            return check(self, text)
        finally:
            ended.set()

    monkeypatch.setattr(Preparation, "check", slow)
    gateway = Gateway()
    gateway.store.may_answer = asyncio.Event()
    asking = asyncio.ensure_future(gateway.post(TOTALS))

    async def end_it() -> None:
        for _ in range(step):
            await asyncio.sleep(0)
        may_end.set()
        assert ended.wait(10)

    ending = asyncio.ensure_future(end_it())
    await settle()
    assert len(gateway.store.plans) == 1
    gateway.store.may_answer.set()
    assert (await asking).status_code == 200
    await ending
