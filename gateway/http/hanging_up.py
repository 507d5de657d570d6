"""A client that hangs up while something is made for it."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from starlette.types import Receive

from gateway.http.request import ClientGoneError

Got = TypeVar("Got")


async def unless_gone(receive: Receive, working: Coroutine[Any, Any, Got]) -> Got:
    """What is being made; no longer waited for, and `ClientGoneError`, if the client hangs up."""
    task = asyncio.current_task()
    assert task is not None
    watching, has_left = True, False

    def leave(_: asyncio.Future[None]) -> None:
        nonlocal has_left
        if watching:  # else it is called late, for what is over
            has_left = True
            task.cancel()

    gone = asyncio.ensure_future(_gone(receive))
    gone.add_done_callback(leave)
    try:
        return await working
    except asyncio.CancelledError:
        if not has_left or task.uncancel() > 0:
            raise
        raise ClientGoneError from None
    finally:
        watching = False
        gone.cancel()


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
