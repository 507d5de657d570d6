"""What is wrong with a question or with the store: its code, its place, and what is not told of it."""

# ruff: noqa: UP031, ISC004 - documents with braces read better with % than with doubled braces

from __future__ import annotations

from typing import Any

import pytest

from gateway.errors import (
    DeadlineExceededError,
    GatewayError,
    PartialAnswerError,
    StoreUnavailableError,
)
from tests.unit.gateway.served import ENTRIES, GRAPHQL, LIVE, Gateway, HeldStore

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("query", "argument"),
    [
        ('{ account(id: "") { id } }', "id"),
        ('{ account(id: "%s") { id } }' % ("x" * 65), "id"),
        ('{ account(id: "a\\u0007b") { id } }', "id"),
        ('{ accounts(ids: ["a", ""]) { id } }', "ids[1]"),
        ("{ accounts(ids: [%s]) { id } }" % ",".join(f'"{n}"' for n in range(51)), "ids"),
        ("topCounterparties(%s, first: 0) { exact }" % LIVE, "first"),
        ("topCounterparties(%s, first: 101) { exact }" % LIVE, "first"),
        ("topCounterparties(%s, first: -1) { exact }" % LIVE, "first"),
        ('totals(%s, timeZone: "Mars/Phobos") { exact }' % LIVE, "timeZone"),
        ('totals(%s, timeZone: "../etc/passwd") { exact }' % LIVE, "timeZone"),
        ("totals(window: {last: {count: 0, unit: DAY}}) { exact }", "window.last.count"),
        ("totals(window: {last: {count: 99999, unit: YEAR}}) { exact }", "window.last.count"),
        (
            'totals(window: {between: {start: "2026-01-02T00:00:00Z", end: '
            '"2026-01-01T00:00:00Z"}}) { exact }',
            "window.between",
        ),
        (
            "timeSeries(window: {last: {count: 9, unit: YEAR}}, granularity: MINUTE) { exact }",
            "granularity",
        ),
        ('transactions(%s, after: "nonsense") { exact }' % LIVE, "after"),
        ('transactions(%s, counterpartyId: "") { exact }' % LIVE, "counterpartyId"),
    ],
)
async def test_bad_input_names_its_argument_before_anything_is_fetched(
    gateway: Gateway, query: str, argument: str
) -> None:
    whole = query if query.startswith("{") else '{ account(id: "alice") { %s } }' % query
    (error,) = (await gateway.ask(whole))["errors"]
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert error["extensions"]["argument"] == argument
    assert error["message"].startswith(f"{argument}: ")
    assert gateway.store.plans == []


@pytest.mark.parametrize(
    ("query", "variables", "code"),
    [
        ("{", {}, "GRAPHQL_PARSE_FAILED"),
        ("", {}, "OPERATION_RESOLUTION_FAILURE"),
        ("{ nonsense }", {}, "GRAPHQL_VALIDATION_FAILED"),
        (
            "query A { limits { maxFirst } } query B { limits { maxFirst } }",
            {},
            "OPERATION_RESOLUTION_FAILURE",
        ),
        ("query ($id: ID!) { account(id: $id) { id } }", {}, "BAD_USER_INPUT"),
        ("query ($n: Int!) { account(id: $n) { id } }", {"n": 1}, "GRAPHQL_VALIDATION_FAILED"),
        (
            'query ($w: WindowInput!) { account(id: "a") { totals(window: $w) { exact } } }',
            {"w": {"calendar": "TODAY", "last": {"count": 1, "unit": "DAY"}}},
            "BAD_USER_INPUT",
        ),
        (
            'query ($w: WindowInput!) { account(id: "a") { totals(window: $w) { exact } } }',
            {"w": {"between": {"start": "2026-01-01T00:00:00", "end": "2026-01-02T00:00:00Z"}}},
            "BAD_USER_INPUT",
        ),
        (
            '{ account(id: "a") { totals(window: {between: {start: "yesterday", '
            'end: "2026-01-02T00:00:00Z"}}) { exact } } }',
            {},
            "BAD_USER_INPUT",
        ),
        ("{ a " * 100 + "{ b }" + "}" * 100, {}, "GRAPHQL_VALIDATION_FAILED"),
        ("{ a " * 300 + "{ b }" + "}" * 300, {}, "GRAPHQL_VALIDATION_FAILED"),
        ("{" + "limits { maxFirst } " * 300 + "}", {}, "GRAPHQL_VALIDATION_FAILED"),
    ],
)
async def test_every_request_error_has_its_code(
    gateway: Gateway, query: str, variables: dict[str, Any], code: str
) -> None:
    body = await gateway.ask(query, **variables)
    assert {error["extensions"]["code"] for error in body["errors"]} == {code}
    assert "data" not in body
    assert gateway.store.plans == []


async def test_a_null_where_an_argument_has_a_default_is_the_callers_error(
    gateway: Gateway,
) -> None:
    query = 'query ($n: Int) { account(id: "a") { topCounterparties(%s, first: $n) { exact } } }'
    (error,) = (await gateway.ask(query % LIVE, n=None))["errors"]
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert error["message"].startswith("Argument 'first' has invalid value")
    assert error["path"] == ["account", "topCounterparties"]
    assert "store_or_gateway_error" not in gateway.log.getvalue()
    assert gateway.store.plans == []


async def test_a_malformed_value_in_the_document_is_located(gateway: Gateway) -> None:
    between = '{between: {start: "2026-01-01T00:00:00Z", end: "tomorrow"}}'
    query = '{ account(id: "a") { totals(window: %s) { exact } } }' % between
    (error,) = (await gateway.ask(query))["errors"]
    assert error["locations"] == [{"line": 1, "column": query.index('"tomorrow"') + 1}]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (StoreUnavailableError("host 10.0.0.1 refused SELECT x"), "BACKEND_UNAVAILABLE"),
        (DeadlineExceededError("SELECT x took long"), "DEADLINE_EXCEEDED"),
        (PartialAnswerError("1 of 2 servers: SELECT x"), "PARTIAL_RESULT"),
        (RuntimeError("SELECT x"), "INTERNAL_SERVER_ERROR"),
    ],
)
async def test_a_failing_store_nulls_one_field_and_leaks_nothing(
    error: Exception, code: str
) -> None:
    gateway = Gateway(store=HeldStore(ENTRIES, error=error))  # type: ignore[arg-type]
    query = '{ account(id: "alice") { id totals(%s) { exact } } limits { maxFirst } }' % LIVE
    response = await gateway.post(query, headers={"accept": GRAPHQL})
    body = response.json()
    assert response.status_code == 200
    assert body["data"] == {"account": {"id": "alice", "totals": None}, "limits": {"maxFirst": 100}}
    (shown,) = body["errors"]
    assert shown["extensions"]["code"] == code
    assert shown["path"] == ["account", "totals"]
    assert "SELECT" not in response.text
    told = gateway.log.getvalue()
    if isinstance(error, GatewayError):
        assert str(error) in told, "it was raised with words of ours"
    else:
        assert '"cause": "RuntimeError"' in told
        assert "SELECT" not in told
