"""A headless Chromium, driven by its DevTools protocol: as much of it as a page's test needs."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from local_stack.prerequisites import CHROMIUM, message

STARTS_WITHIN_S = 60
NAVIGATED = "Inspected target navigated or closed"
FLAGS = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"),
    *("--no-first-run", "--disable-background-networking", "--disable-component-update"),
    *("--disable-sync", "--remote-debugging-port=0", "--window-size=1280,800"),
    # A page that needs the internet must not find it.
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
)


class NavigatedError(Exception):
    """The page went on to another while it was asked: the answer is lost with it."""


@dataclass
class Page:
    """The browser's one tab; `events` are all that it told of."""

    socket: aiohttp.ClientWebSocketResponse
    events: list[dict[str, Any]] = field(default_factory=list)
    _calls: int = 0

    async def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """One command's result."""
        self._calls += 1
        number = self._calls
        await self.socket.send_json({"id": number, "method": method, "params": parameters})
        while True:
            said = json.loads((await self.socket.receive()).data)
            if said.get("id") == number:
                if said.get("error", {}).get("message") == NAVIGATED:
                    raise NavigatedError(method)
                assert "error" not in said, said
                result: dict[str, Any] = said["result"]
                return result
            self.events.append(said)

    async def value_of(self, expression: str) -> Any:
        """What JavaScript makes of an expression in the page."""
        made = await self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in made, made
        return made["result"].get("value")

    async def wait_for(self, expression: str, within_s: float = 90) -> Any:
        """The expression's value, once it is true, also where it is true of the page that comes next."""
        give_up_at = time.monotonic() + within_s
        while not (value := await self._value_if_there(expression)):
            if time.monotonic() > give_up_at:
                text = await self.value_of("document.body.innerText")
                raise TimeoutError(f"not within {within_s} s: {expression}\n{text}")
            await asyncio.sleep(0.05)
        return value

    async def _value_if_there(self, expression: str) -> Any:
        with suppress(NavigatedError):
            return await self.value_of(expression)
        return None

    def told(self, *methods: str) -> list[dict[str, Any]]:
        """The events of some kinds."""
        return [each for each in self.events if each["method"] in methods]


@asynccontextmanager
async def page(folder: Path) -> AsyncIterator[Page]:
    """An empty page in a browser of its own, whose profile is in the folder."""
    with _browser(folder) as port:
        async with aiohttp.ClientSession() as session:
            async with session.get(f"http://127.0.0.1:{port}/json") as response:
                tabs = await response.json()
            address = next(tab for tab in tabs if tab["type"] == "page")["webSocketDebuggerUrl"]
            async with session.ws_connect(address, max_msg_size=0) as socket:
                yield Page(socket)


@contextmanager
def _browser(folder: Path) -> Iterator[int]:
    program = CHROMIUM.find(os.environ)
    assert program, message([CHROMIUM])
    command = [program, *FLAGS, f"--user-data-dir={folder}", "about:blank"]
    quiet = subprocess.DEVNULL
    # Killed, it leaves its socket behind, whose path must be short.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as temporary:
        process = subprocess.Popen(
            command,
            env={**os.environ, "TMPDIR": temporary},
            stdout=quiet,
            stderr=quiet,
            start_new_session=True,
        )
        try:
            yield _port(process, folder / "DevToolsActivePort")
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _port(process: subprocess.Popen[bytes], told: Path) -> int:
    give_up_at = time.monotonic() + STARTS_WITHIN_S
    while time.monotonic() < give_up_at:
        assert process.poll() is None, f"Chromium ended with {process.returncode}"
        lines = told.read_text().split() if told.is_file() else []
        if lines:
            return int(lines[0])
        time.sleep(0.05)
    raise TimeoutError(f"Chromium did not start within {STARTS_WITHIN_S} s")
