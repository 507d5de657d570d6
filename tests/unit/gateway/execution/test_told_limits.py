"""Descriptions tell the limits of the deployment that serves them, and the currency if it has one."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.execution.sdl import sdl
from gateway.settings import Settings
from gateway.wiring.documents import told_of
from tests.unit.gateway.served import Gateway

pytestmark = pytest.mark.anyio

CHANGED = Settings(max_first=70, max_points=2_345, max_accounts=33, deadline_ms=9_876)
DESCRIBED = """{ limits: __type(name: "Limits") { fields { name description } }
  set: __type(name: "Query") { fields { name args { name description } } }
  account: __type(name: "Account") { fields { name args { name description } } } }"""


def test_a_deployment_as_it_is_by_default_serves_the_committed_text() -> None:
    assert sdl(told_of(Settings())) == sdl()


def test_the_text_of_another_deployment_has_its_numbers_and_no_default_of_theirs() -> None:
    told = sdl(told_of(CHANGED))
    for words in ("(70)", "(2,345)", "(33)", "70 here", "2,345 here", "33 here", "9,876 here"):
        assert words in told
    for words in ("(100)", "(1,500)", "`limits.maxAccounts` (50)", "100 by default", "5,000 here"):
        assert words not in told
    # What is as it was is told as it was, and asked about nobody else's schema.
    assert "12 by default" in told
    assert "(100)" in sdl()


async def test_introspection_and_pages_tell_the_same() -> None:
    gateway = Gateway(CHANGED)
    data = (await gateway.ask(DESCRIBED))["data"]
    limits = {each["name"]: each["description"] for each in data["limits"]["fields"]}
    assert limits["maxFirst"] == "Largest `first`: 70 here."
    assert "9,876 here" in limits["deadlineMilliseconds"]
    assert "12 by default" in limits["maxDepth"]
    first = described(data["account"], "topCounterparties", "first")
    assert first == "How many at most: 1 to `limits.maxFirst` (70)."
    assert "(2,345)" in described(data["account"], "timeSeries", "granularity")
    assert "(33)" in described(data["set"], "accounts", "ids")
    text = (await gateway.client.get("/schema.graphql")).text
    assert text == sdl(told_of(CHANGED))
    assert "(70)" in (await gateway.client.get("/docs")).text


def described(of: dict[str, Any], field: str, argument: str) -> str:
    (arguments,) = [each["args"] for each in of["fields"] if each["name"] == field]
    (found,) = [each["description"] for each in arguments if each["name"] == argument]
    text: str = found
    return text


@pytest.mark.parametrize(("currency", "told"), [("", None), ("EUR", "EUR"), ("USDT", "USDT")])
async def test_the_currency_is_told_where_there_is_one(currency: str, told: str | None) -> None:
    gateway = Gateway(Settings(currency=currency))
    body = await gateway.ask("{ limits { currency } pipeline { currency } }")
    assert body["data"] == {"limits": {"currency": told}, "pipeline": {"currency": told}}


@pytest.mark.parametrize("currency", ["eur", "E", "EU", "EUR ", "EURO-1", "1EU"])
async def test_what_is_no_code_is_refused_at_the_start(currency: str) -> None:
    with pytest.raises(ValueError, match="currency"):
        Settings(currency=currency)
