"""The line of new documents: who is gone is not waited for, nobody fills it alone, a failure reaches all who wait."""

from __future__ import annotations

import asyncio

import pytest

from gateway.document_line import MAX_TOKENS, DocumentLine
from gateway.errors import OverloadedError
from gateway.preparation import Prepared
from gateway.steps import Steps

STEPS = 5

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Checks:
    """What was checked, in its order; some documents cannot be."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.checked: list[str] = []
        self.begun = asyncio.Event()
        self.line = DocumentLine(self.check)

    def check(self, text: str) -> Steps[Prepared]:
        self.texts.append(text)
        self.begun.set()
        for _ in range(STEPS):
            yield
        if text == "broken":
            raise ValueError(text)
        self.checked.append(text)
        return Prepared(None, {}, (), text, 0)

    def ask(self, text: str, tokens: int = 10, asker: str = "alice") -> asyncio.Future[Prepared]:
        self.line.require_room(text, tokens, asker)
        return asyncio.ensure_future(self.line.checked(text, tokens, asker))


async def test_documents_that_nobody_waits_for_any_more_are_not_checked() -> None:
    checks = Checks()
    gone = [checks.ask(f"gone {number}") for number in range(50)]
    await asyncio.sleep(0)
    honest = checks.ask("honest", asker="bob")
    for each in gone:
        each.cancel()
    await honest
    assert checks.texts[-1] == "honest"
    assert len(checks.texts) <= 2
    assert checks.ask("gone 7", MAX_TOKENS), "the line is empty again"


async def test_one_check_serves_all_who_wait_and_outlives_the_first_of_them() -> None:
    checks = Checks()
    first, second = checks.ask("same"), checks.ask("same")
    await asyncio.sleep(0)
    first.cancel()
    assert (await second).errors == ()
    assert checks.texts == ["same"]
    assert (await checks.ask("same")).errors == ()


async def test_who_asks_for_a_document_that_was_just_given_up_gets_it() -> None:
    checks = Checks()
    first = checks.ask("same")
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.sleep(0)
    assert (await checks.ask("same")).errors == ()


async def test_a_failure_reaches_all_who_wait_and_is_not_remembered() -> None:
    checks = Checks()
    asked = [checks.ask("broken"), checks.ask("broken")]
    for each in await asyncio.gather(*asked, return_exceptions=True):
        assert isinstance(each, ValueError)
    assert (await checks.ask("fine")).errors == ()


async def test_one_asker_gets_half_of_the_line_and_all_together_the_whole() -> None:
    checks = Checks()
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


async def test_a_document_that_is_given_up_between_two_steps_is_not_checked_to_its_end() -> None:
    checks = Checks()
    gone = checks.ask("gone")
    await checks.begun.wait()
    gone.cancel()
    await checks.ask("honest", asker="bob")
    assert checks.texts == ["gone", "honest"]
    assert checks.checked == ["honest"]
