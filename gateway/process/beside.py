"""Work that would hold the event loop, done beside it: in a thread with a loop of its own, which all of a process shares.

Python changes between threads where it would not between tasks, so whoever asks for little goes on
meanwhile. One thread, since each more is one more that the event loop has to wait for.
"""

from __future__ import annotations

import asyncio
import atexit
import threading
from collections.abc import Callable, Coroutine
from functools import cache
from typing import Any, TypeVar

Made = TypeVar("Made")

LARGE = 500
"""Items of a piece of work that is done beside: one takes up to 4 µs, to go there and back some 100."""


async def run(working: Coroutine[Any, Any, Made]) -> Made:
    """What a coroutine makes in the other loop; it is cancelled with whoever waits for it."""
    return await there(working, _loop())


async def there(working: Coroutine[Any, Any, Made], loop: asyncio.AbstractEventLoop) -> Made:
    """What a coroutine makes in a loop of another thread; it is cancelled with whoever waits for it."""
    return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(_heeded(working), loop))


async def _heeded(working: Coroutine[Any, Any, Made]) -> Made:
    """The same, but that asyncio does not log as forgotten what it fails for when nobody waits any more."""
    task = asyncio.current_task()
    assert task is not None
    task.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
    return await working


async def done(items: int, work: Callable[[], Made]) -> Made:
    """What a function makes of so many items: at once where they are few."""
    return work() if items < LARGE else await run(_called(work))


async def _called(work: Callable[[], Made]) -> Made:
    return work()


@cache
def _loop() -> asyncio.AbstractEventLoop:
    """The other loop, once there is something to do; it ends with the process."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=_run, args=(loop,), name="beside", daemon=True)
    thread.start()

    def end() -> None:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(1.0)

    atexit.register(end)
    return loop


def _run(loop: asyncio.AbstractEventLoop) -> None:
    loop.run_forever()
    loop.close()
