"""The line of new documents: who is gone is not waited for, nobody fills it alone, a failure reaches all who wait."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator

import pytest

from gateway.documents.line import MAX_TOKENS, DocumentLine
from gateway.documents.preparation import Prepared
from gateway.errors import OverloadedError

LIMIT_S = 10

pytestmark = pytest.mark.anyio


class Checks:
    """What was checked and kept, in its order; some documents cannot be checked, some take until `go_on`."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.kept: list[str] = []
        self.kept_in: set[threading.Thread] = set()
        self.begun = threading.Event()
        self.go_on = threading.Event()
        self.line = DocumentLine(self.check, self.keep)

    def check(self, text: str) -> Prepared:
        self.texts.append(text)
        self.begun.set()
        if text.startswith("slow"):
            assert self.go_on.wait(LIMIT_S)
        if text == "broken":
            raise ValueError(text)
        return Prepared(None, {}, (), text, 0)

    def keep(self, text: str, prepared: Prepared) -> None:
        assert prepared.key == text
        self.kept.append(text)
        self.kept_in.add(threading.current_thread())

    def ask(self, text: str, tokens: int = 10, asker: str = "alice") -> asyncio.Future[Prepared]:
        self.line.require_room(text, tokens, asker)
        return asyncio.ensure_future(self.line.checked(text, tokens, asker))


@pytest.fixture
def checks() -> Iterator[Checks]:
    made = Checks()
    yield made
    made.go_on.set()


async def turn_until(happened: threading.Event) -> None:
    """Turn the loop until something has happened beside it."""
    give_up_at = time.monotonic() + LIMIT_S
    while not happened.is_set():
        assert time.monotonic() < give_up_at
        await asyncio.sleep(0)


async def test_documents_that_nobody_waits_for_any_more_are_not_checked(checks: Checks) -> None:
    gone = [checks.ask(f"gone {number}") for number in range(50)]
    await asyncio.sleep(0)
    honest = checks.ask("honest", asker="bob")
    for each in gone:
        each.cancel()
    await honest
    assert checks.texts[-1] == "honest"
    assert len(checks.texts) <= 2
    assert checks.ask("gone 7", MAX_TOKENS), "the line is empty again"


async def test_one_check_serves_all_who_wait_and_outlives_the_first_of_them(checks: Checks) -> None:
    first, second = checks.ask("same"), checks.ask("same")
    await asyncio.sleep(0)
    first.cancel()
    assert (await second).errors == ()
    assert checks.texts == ["same"]
    assert (await checks.ask("same")).errors == ()


async def test_who_asks_for_a_document_that_was_just_given_up_gets_it(checks: Checks) -> None:
    first = checks.ask("same")
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.sleep(0)
    assert (await checks.ask("same")).errors == ()


async def test_a_failure_reaches_all_who_wait_and_is_not_remembered(checks: Checks) -> None:
    asked = [checks.ask("broken"), checks.ask("broken")]
    for each in await asyncio.gather(*asked, return_exceptions=True):
        assert isinstance(each, ValueError)
    assert (await checks.ask("fine")).errors == ()


async def test_one_asker_gets_half_of_the_line_and_all_together_the_whole(checks: Checks) -> None:
    waiting = [checks.ask("a long one", MAX_TOKENS // 2)]
    await asyncio.sleep(0)
    with pytest.raises(OverloadedError):
        checks.ask("one more")
    waiting.append(checks.ask("a long one"))
    waiting.append(checks.ask("bob's", MAX_TOKENS // 2, "bob"))
    await asyncio.sleep(0)
    with pytest.raises(OverloadedError):
        checks.ask("carol's", asker="carol")
    await asyncio.gather(*waiting)
    await checks.ask("carol's", asker="carol")
    assert checks.texts == ["a long one", "bob's", "carol's"]


async def test_others_go_on_while_a_document_is_checked(checks: Checks) -> None:
    slow = checks.ask("slow")
    await turn_until(checks.begun)
    behind = checks.ask("behind it")
    for _ in range(1_000):
        await asyncio.sleep(0)
    assert not slow.done()
    assert not behind.done()
    assert checks.texts == ["slow"]
    checks.go_on.set()
    await asyncio.gather(slow, behind)
    assert checks.texts == checks.kept == ["slow", "behind it"]
    assert checks.kept_in == {threading.current_thread()}, "what is kept is the loop's"


async def test_a_document_that_is_given_up_while_it_is_checked_is_not_kept(checks: Checks) -> None:
    gone = checks.ask("slow")
    await turn_until(checks.begun)
    gone.cancel()
    honest = checks.ask("honest", asker="bob")
    await asyncio.sleep(0)
    checks.go_on.set()
    await honest
    assert checks.texts == ["slow", "honest"]
    assert checks.kept == ["honest"]


async def test_many_who_come_and_go_have_one_checked_at_a_time(checks: Checks) -> None:
    gone = checks.ask("slow one")
    await turn_until(checks.begun)
    gone.cancel()
    checks.begun.clear()
    other = checks.ask("slow two")
    for _ in range(1_000):
        await asyncio.sleep(0)
    assert not checks.begun.is_set(), "the first one's check has not ended"
    checks.go_on.set()
    await other
    assert checks.texts == ["slow one", "slow two"]
