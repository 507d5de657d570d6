"""Reading requests: what is remembered of them is small and counted, and refusing again is not free."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine
from dataclasses import replace
from typing import Any

import pytest

from gateway.access.budget.balance import Balance
from gateway.access.caller import EVERYONE, Caller, Role
from gateway.access.masking import Masking
from gateway.analytics.cursor import Cursors
from gateway.documents.admission import (
    NEW_DOCUMENT_COST,
    TOKENS_A_POINT,
    TOKENS_INCLUDED,
    Admission,
    Asker,
)
from gateway.documents.named import Documents
from gateway.documents.preparation import Prepared, digest_of
from gateway.errors import RateLimitedError
from gateway.http import reading
from gateway.http.account_digests import AccountDigests
from gateway.http.reading import REFUSED_AGAIN_COST, Answerable, Reading, Unanswerable
from gateway.http.request import Head
from gateway.process.metrics import Metrics
from gateway.process.signing import Signer
from gateway.settings import Settings
from gateway.wiring.documents import make_preparation
from gateway.wiring.redis import make_budgets

pytestmark = pytest.mark.anyio

ASKER = Asker(EVERYONE, "127.0.0.1")
JSON = b"application/json"
SETTINGS = Settings(anonymous_budget_per_s=1, anonymous_budget_burst=1_000)


async def _while_there(checking: Coroutine[Any, Any, Prepared]) -> Prepared:
    return await checking


DIGESTS = AccountDigests(Masking(), Cursors(Signer([b"k"], b"cursor")))


class Desk:
    """Reads requests of one who has a budget."""

    def __init__(self, settings: Settings = SETTINGS, trusted: str = "") -> None:
        metrics = Metrics()
        self.budgets = make_budgets(settings, metrics, lambda: 5.0)
        self.admission = Admission(
            make_preparation(settings),
            self.budgets,
            settings.max_cost,
            settings.max_values,
        )
        found = Documents(True, 10, {"trusted": trusted}, "off", metrics)
        self.reading = Reading(found, self.admission, settings.max_body_bytes, 1 << 24, DIGESTS)

    async def read(
        self, text: str, content_type: bytes = JSON, asker: Asker = ASKER, **more: object
    ) -> Answerable | Unanswerable:
        head = Head("POST", b"", {b"content-type": content_type})
        body = json.dumps({"query": text, **more}).encode()
        known = self.reading.known(head, body, asker)
        return known or await self.reading.read(head, body, asker, _while_there)

    def left(self, asker: Asker = ASKER) -> int:
        balance = self.admission.charge(asker, 0)
        assert isinstance(balance, Balance)
        assert balance.remaining is not None
        return balance.remaining

    @property
    def remembered(self) -> int:
        return len(self.reading._known)


async def test_a_request_with_a_long_content_type_is_answered_but_not_remembered() -> None:
    desk = Desk()
    for length, remembered in ((129, 0), (128, 1)):
        padded = (JSON + b";").ljust(length, b" ")
        assert isinstance(await desk.read("{ limits { maxCost } }", padded), Answerable)
        assert desk.remembered == remembered


async def test_all_that_is_remembered_is_counted() -> None:
    text, sizes = "{ limits { maxCost } }", []
    for padding, variables in ((0, {}), (100, {}), (0, {"a": ["x"] * 900})):
        desk = Desk()
        content_type = (JSON + b";").ljust(len(JSON) + 1 + padding, b" ")
        await desk.read(text, content_type, variables=variables)
        sizes.append(desk.reading._known.bytes)
    assert sizes[1] == sizes[0] + 100
    assert sizes[2] > sizes[0] + 900 * 50


async def test_no_document_is_held_by_what_is_remembered() -> None:
    desk = Desk(Settings())
    first = await desk.read("{ limits { maxCost } }")
    assert isinstance(first, Answerable)
    assert first.operation is not None
    again = await desk.read("{ limits { maxCost } }")
    assert isinstance(again, Answerable)
    assert again.operation is None
    operation = await desk.reading.operation(again, ASKER, _while_there)
    known = desk.admission.preparation.known(again.found.text)
    assert known is not None
    assert operation.document is known.document


async def test_who_asks_for_a_document_that_was_forgotten_pays_for_preparing_it_anew() -> None:
    desk = Desk()
    await desk.read("{ limits { maxCost } }")
    remembered = await desk.read("{ limits { maxCost } }")
    assert isinstance(remembered, Answerable)
    await desk.reading.operation(remembered, ASKER, _while_there)
    assert desk.left() == 980
    forgetful = Desk()
    operation = await forgetful.reading.operation(remembered, ASKER, _while_there)
    assert operation.node.name is None
    assert forgetful.left() == 980
    poor = Desk(Settings(anonymous_budget_per_s=1, anonymous_budget_burst=39))
    await poor.read("{ limits { maxFirst } }")
    with pytest.raises(RateLimitedError):
        await poor.reading.operation(remembered, ASKER, _while_there)


ASKERS = {
    "two addresses": (ASKER, Asker(EVERYONE, "127.0.0.2")),
    "two who see the same": (
        Asker(Caller("one", Role.OPERATOR, None, True), "127.0.0.1"),
        Asker(Caller("two", Role.OPERATOR, None, True), "127.0.0.1"),
    ),
    "two who see different accounts": (
        Asker(Caller("one", Role.OWNER, frozenset({"a"}), False), "127.0.0.1"),
        Asker(Caller("two", Role.PARTNER, frozenset({"b"}), False), "127.0.0.1"),
    ),
}


@pytest.mark.parametrize("askers", ASKERS.values(), ids=ASKERS)
@pytest.mark.parametrize(
    ("text", "again"),
    [
        ('{ account(id: "a") { id } }', 0),
        ("{ limits { maxCost } } #" + "-" * 500, 0),
        ("{ limits { %s } }" % ("maxCost " * 200), 0),
        ("{ nope }", REFUSED_AGAIN_COST),
        ("{", REFUSED_AGAIN_COST),
    ],
)
async def test_what_a_document_costs_tells_nothing_of_who_asked_before(
    askers: tuple[Asker, Asker], text: str, again: int
) -> None:
    desk = Desk(
        Settings(
            budget_per_s=1,
            budget_burst=1_000,
            anonymous_budget_per_s=1,
            anonymous_budget_burst=1_000,
        )
    )
    first, second = askers
    for asker in (first, first, second, second):
        await desk.read(text, asker=asker)
    assert desk.left(first) == desk.left(second)
    longer = max(0, desk.admission.preparation.count(text) - TOKENS_INCLUDED) // TOKENS_A_POINT
    assert desk.left(second) == 1_000 - NEW_DOCUMENT_COST - longer - again


async def test_a_trusted_document_is_free_for_whoever_asks_first_too() -> None:
    trusted = "{ limits { maxAliases } }"
    desk = Desk(trusted=trusted)
    assert isinstance(await desk.read(trusted), Answerable)
    assert desk.left() == 1_000


async def test_what_one_has_paid_for_stays_paid_when_others_had_it_forgotten() -> None:
    desk = Desk()
    text = "{ limits { maxCost } }"
    made = await desk.read(text)
    assert isinstance(made, Answerable)
    desk.admission.preparation._kept.drop(digest_of(text))
    made = replace(made, operation=None)
    await desk.reading.operation(made, ASKER, _while_there)
    assert desk.left() == 980
    desk.admission.preparation._kept.drop(digest_of(text))

    async def hung_up(checking: Coroutine[Any, Any, Prepared]) -> Prepared:
        task = asyncio.ensure_future(checking)
        await asyncio.sleep(0)
        task.cancel()
        return await task

    with pytest.raises(asyncio.CancelledError):
        await desk.reading.operation(made, ASKER, hung_up)
    await desk.reading.operation(made, ASKER, _while_there)
    assert desk.left() == 960  # who does not wait for a check pays for the next one


@pytest.mark.parametrize(
    ("text", "name"),
    [("{ nope }", None), ("{", None), ("query A { limits { maxCost } }", "B")],
    ids=["invalid", "no GraphQL", "no such operation"],
)
async def test_what_is_refused_again_is_paid_for_again(text: str, name: str | None) -> None:
    desk, left = Desk(), []
    for _ in range(3):
        assert isinstance(await desk.read(text, operationName=name), Unanswerable)
        left.append(desk.left())
    assert left == [980, 980 - REFUSED_AGAIN_COST, 980 - 2 * REFUSED_AGAIN_COST]


async def test_who_has_no_points_left_is_told_that_instead_of_the_refusal() -> None:
    desk = Desk(Settings(anonymous_budget_per_s=1, anonymous_budget_burst=22))
    await desk.read("{ nope }")
    refused = await desk.read("{ nope }")
    assert isinstance(refused, Unanswerable)
    assert refused.outcome.codes == ("RATE_LIMITED",)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("query A { limits { maxCost } }", "A"),
        ("\n \n\t query\n A { limits { maxCost } }", "A"),
        ("# query B\nquery A { limits { maxCost } }", "A"),
        ("{ limits { maxCost } }", None),
    ],
)
async def test_the_log_tells_an_operation_by_its_name(text: str, name: str | None) -> None:
    assert (await Desk().read(text)).about.operation == name


def test_empty_lines_before_an_operation_are_gone_through_once() -> None:
    found = reading._NAME.search("\n" * 500 + "  query A { limits { maxCost } }")
    assert found is not None
    assert found.start() == 500  # from any line before, it would have been tried from all of them
