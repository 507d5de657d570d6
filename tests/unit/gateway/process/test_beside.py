"""Large pieces of work are done in another thread, small ones at once."""

from __future__ import annotations

import asyncio
import gc
import threading

import pytest

from gateway.process import beside

pytestmark = pytest.mark.anyio


def where() -> str:
    return threading.current_thread().name


async def test_few_items_are_done_at_once_and_many_beside() -> None:
    assert await beside.done(beside.LARGE - 1, where) == where()
    assert await beside.done(beside.LARGE, where) == "beside"


async def test_what_is_done_beside_may_do_large_work_itself() -> None:
    async def work() -> list[str]:
        return [where(), await beside.done(beside.LARGE, where)]

    assert await beside.run(work()) == ["beside", "beside"]


async def test_the_loop_goes_on_meanwhile() -> None:
    turn = threading.Event()

    def work() -> bool:
        return turn.wait(10)

    working = asyncio.ensure_future(beside.done(beside.LARGE, work))
    await asyncio.sleep(0)
    turn.set()
    assert await working


async def test_errors_are_told() -> None:
    def work() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await beside.done(beside.LARGE, work)


async def given_up(failure: Exception | None = None) -> None:
    """Work that waits is cancelled with whoever waits for it, fails then for `failure`, and has ended."""
    began, ended = threading.Event(), threading.Event()

    async def work() -> None:
        began.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError as cancelled:
            raise failure or cancelled from None
        finally:
            ended.set()

    working = asyncio.ensure_future(beside.run(work()))
    await asyncio.to_thread(began.wait, 10)
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working
    assert await asyncio.to_thread(ended.wait, 10)


async def test_what_nobody_waits_for_any_more_ends() -> None:
    await given_up()


async def test_what_it_fails_for_when_nobody_waits_is_not_logged_as_forgotten(
    caplog: pytest.LogCaptureFixture,
) -> None:
    await given_up(ValueError("acct-1 is not to be told"))
    await beside.run(asyncio.sleep(0))
    gc.collect()
    assert not caplog.records
