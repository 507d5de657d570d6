"""What is sent is taken as it is, to the last digit and byte, or refused; by POST and by GET."""

# ruff: noqa: UP031 - JSON with braces reads better with % than with doubled braces

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from gateway.app import create_app
from gateway.http import exact_json
from gateway.http.exact_json import JsonRefusedError
from gateway.settings import Settings
from tests.unit.gateway.fakes import NOW_MS, ReferenceStore

pytestmark = pytest.mark.anyio

ONE = "query($i: ID!) { account(id: $i) { id } }"
MANY = "query($i: [ID!]!) { accounts(ids: $i) { id } }"
INSIDE = 'query($i: ID!) { accounts(ids: ["a", $i]) { id } }'
PAGE = """query($i: Int!) { account(id: "a") {
  transactions(window: {calendar: TODAY}, first: $i) { edges { cursor } } } }"""


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(Settings(log_level="error"), ReferenceStore([]), epoch_ms=lambda: NOW_MS)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        yield client


async def post(client: httpx.AsyncClient, body: str | bytes) -> httpx.Response:
    headers = {"content-type": "application/json"}
    content = body.encode() if isinstance(body, str) else body
    return await client.post("/graphql", content=content, headers=headers)


async def both(client: httpx.AsyncClient, query: str, value: str) -> dict[str, Any]:
    """The answer to a variable of that very text, which is the same by POST and by GET."""
    sent = await post(client, '{"query": %s, "variables": {"i": %s}}' % (json.dumps(query), value))
    variables = quote('{"i": %s}' % value)
    got = await client.get(f"http://localhost/graphql?query={quote(query)}&variables={variables}")
    found: dict[str, Any] = sent.json()
    for each in (found, other := got.json()):
        for error in each.get("errors", ()):
            error["extensions"].pop("requestId")
            error["message"] = error["message"].replace("The body", "`variables`")
    assert found == other
    return found


def code(answer: dict[str, Any]) -> str:
    (error,) = answer["errors"]
    assert "data" not in answer
    found: str = error["extensions"]["code"]
    return found


EXACT = {
    "99999999999999999999": "99999999999999999999",
    "18446744073709551615": "18446744073709551615",
    "18446744073709551616": "18446744073709551616",
    "-9223372036854775809": "-9223372036854775809",
    "9007199254740993": "9007199254740993",
    "1" + "0" * 63: "1" + "0" * 63,
    "0": "0",
    "-7": "-7",
    '"1e3"': "1e3",
    '"007"': "007",
    '"\\ud83d\\ude00"': "\U0001f600",
}


@pytest.mark.parametrize("value", EXACT)
async def test_an_id_is_answered_to_the_last_digit(client: httpx.AsyncClient, value: str) -> None:
    expected = {"id": EXACT[value]}
    assert (await both(client, ONE, value))["data"] == {"account": expected}
    assert (await both(client, MANY, f'["b", {value}]'))["data"]["accounts"][1] == expected
    assert (await both(client, MANY, value))["data"]["accounts"] == [expected]
    assert (await both(client, INSIDE, value))["data"]["accounts"][1] == expected


@pytest.mark.parametrize(
    "value", ["1e3", "1E3", "1.0", "-0", "-0.0", "1e19", "12345678901234567890.0", "true", "null"]
)
async def test_what_is_no_integer_is_no_id(client: httpx.AsyncClient, value: str) -> None:
    for query, given in ((ONE, value), (MANY, f'["b", {value}]'), (INSIDE, value)):
        assert code(await both(client, query, given)) == "BAD_USER_INPUT"


@pytest.mark.parametrize("value", ["1e999", "1" * 400, "007", "0x10", "NaN", "-Infinity", "1_0"])
async def test_what_is_no_json_number_is_refused(client: httpx.AsyncClient, value: str) -> None:
    assert code(await both(client, ONE, value)) == "BAD_USER_INPUT"


@pytest.mark.parametrize(
    ("literal", "found"),
    [
        ("99999999999999999999", "99999999999999999999"),
        ("-0", None),
        ("[7, -0]", None),
        ('"-0"', "-0"),
        ("-10", "-10"),
        ("1e3", None),
        ("1.0", None),
        ("00", None),
        ('"\\ud800"', None),
        ("{a: 1}", None),
    ],
)
async def test_ids_in_documents_are_exact_or_refused(
    client: httpx.AsyncClient, literal: str, found: str | None
) -> None:
    for query in (
        "{ account(id: %s) { id } }",
        "query($i: ID! = %s) { account(id: $i) { id } }",
        'query($i: [ID!]! = %s) { account(id: "x") { id } accounts(ids: $i) { id } }',
    ):
        answer = (await post(client, json.dumps({"query": query % literal}))).json()
        if found is None:
            assert code(answer) in ("GRAPHQL_VALIDATION_FAILED", "GRAPHQL_PARSE_FAILED")
        else:
            data = answer["data"]
            assert {"id": found} in (data["account"], *data.get("accounts", ()))


@pytest.mark.parametrize("value", ["100", "100.0", "1e2"])
async def test_an_int_is_priced_as_it_is_executed(client: httpx.AsyncClient, value: str) -> None:
    answer = await both(client, PAGE, value)
    assert answer["extensions"]["cost"]["requested"] == 1 + 2 + 66 + 1 + 100


@pytest.mark.parametrize(
    "value",
    [
        "7." + "0" * 30 + "1",
        "6.99999999999999999999",
        "1e-400",
        "-1e-400",
        "1e-" + "9" * 30,
        "9007199254740993.0",
        "700000000000000000000000001e-26",
    ],
)
async def test_a_number_is_not_rounded_to_a_whole_one(
    client: httpx.AsyncClient, value: str
) -> None:
    assert code(await both(client, PAGE, value)) == "BAD_USER_INPUT"
    with pytest.raises(JsonRefusedError, match="too many digits"):
        exact_json.loads('{"a": [%s]}' % value)


@pytest.mark.parametrize(
    ("literal", "fits"),
    [("99.999999999999999999999", False), ("1e-400", False), ("99.9", True), ("5e1", True)],
)
async def test_nor_is_a_number_in_a_document(
    client: httpx.AsyncClient, literal: str, fits: bool
) -> None:
    distribution = "distribution(window: {calendar: TODAY}) { percentiles(of: %s) { percentile } }"
    in_place = '{ account(id: "a") { %s } }' % (distribution % literal)
    by_default = 'query($of: [Float!]! = [%s]) { account(id: "a") { %s } }'
    for query in (in_place, by_default % (literal, distribution % "$of")):
        answer = (await post(client, json.dumps({"query": query}))).json()
        if fits:
            (found,) = answer["data"]["account"]["distribution"]["percentiles"]
            assert found == {"percentile": float(literal)}
        else:
            assert code(answer) == "GRAPHQL_VALIDATION_FAILED"
            assert "too many digits" in answer["errors"][0]["message"]


@pytest.mark.parametrize(
    ("value", "number"), [("0.1", 0.1), ("99.9", 99.9), ("70e-1", 7), ("0e-99999", 0), ("7.0", 7)]
)
def test_a_number_that_floats_have_is_taken(value: str, number: float) -> None:
    assert exact_json.loads(value) == number


@pytest.mark.parametrize("value", ["100.5", "2147483648", "18446744073709551616", '"5"', "true"])
async def test_what_is_no_int_is_refused(client: httpx.AsyncClient, value: str) -> None:
    assert code(await both(client, PAGE, value)) == "BAD_USER_INPUT"


async def test_text_is_no_number_and_a_number_no_text(client: httpx.AsyncClient) -> None:
    query = 'query($i: TimeZone!) { account(id: "a") { netFlow(window: {calendar: TODAY}, timeZone: $i) { exact } } }'
    for value in ("1.0", "1", "-0", "[]"):
        assert code(await both(client, query, value)) == "BAD_USER_INPUT"


@pytest.mark.parametrize(
    "body",
    [
        '{"query": "{ __typename }", "query": "{ limits { maxFirst } }"}',
        '{"query": "{ __typename }", "variables": {"a": {"b": 1, "b": 1}}}',
        '{"query": "{ __typename }", "extensions": {"a": [{"b": 1, "\\u0062": 2}]}}',
        '{"query": "{ __typename }", "unknown": {"b": 1, "b": 1}}',
    ],
)
async def test_a_key_that_is_said_twice_is_refused(client: httpx.AsyncClient, body: str) -> None:
    answer = await post(client, body)
    assert answer.status_code == 400
    assert "says a key twice" in answer.json()["errors"][0]["message"]


@pytest.mark.parametrize(
    "url",
    [
        'query={account(id:"%E9"){id}}',
        'query={account(id:"%C3"){id}}',
        'query={account(id:"%ED%A0%80"){id}}',  # half a surrogate pair
        'query={__typename}&variables={"a":"%FF"}',
        'query={__typename}&extensions={"a":"%80"}',
        "query=query+A{__typename}&operationName=A%E9",
        "documentId=%C0%AF",
        "query={__typename}&query={__typename}",
        'query={__typename}&variables={"a":1}&variables={}',
        'query={__typename}&variables={"a":1,"a":1}',
        'query={__typename}&variables={"a":"\\ud800"}',
    ],
)
async def test_a_url_that_would_be_changed_is_refused(client: httpx.AsyncClient, url: str) -> None:
    answer = await client.get(f"http://localhost/graphql?{url}")
    assert answer.status_code == 400
    assert code(answer.json()) == "BAD_USER_INPUT"


async def test_a_url_may_hold_any_script_and_what_is_none_of_ours(
    client: httpx.AsyncClient,
) -> None:
    for url in ('query={account(id:"%C3%A9"){id}}&x=1&x=2', 'query={account(id:"é"){id}}'):
        answer = await client.get(f"http://localhost/graphql?{url}")
        assert answer.json()["data"] == {"account": {"id": "é"}}


@pytest.mark.parametrize(
    "body",
    [
        b'{"query": "{ account(id: \\"\xe9\\") { id } }"}',
        b'{"query": "{ __typename }", "variables": {"a": "\\ud800"}}',
        b'{"query": "{ __typename }", "variables": {"\\udfff": 1}}',
        b'\xef\xbb\xbf{"query": "{ __typename }"}',
        '{"query": "{ __typename }"}'.encode("utf-16"),
    ],
)
async def test_a_body_that_is_no_utf_8_is_refused(client: httpx.AsyncClient, body: bytes) -> None:
    assert (await post(client, body)).status_code == 400


def test_values_and_levels_are_counted_before_anything_is_read_twice() -> None:
    assert exact_json.loads("[%s]" % ", ".join(["1"] * 1_000)) == [1] * 1_000
    assert exact_json.loads(b'{"a": [[[1.5]]], "b": null}') == {"a": [[[1.5]]], "b": None}
    deep = "[" * 11 + "]" * 11
    assert exact_json.loads(deep, 11) == exact_json.loads(deep)
    for text in ("[%s]" % ", ".join(["1"] * 1_001), "[" * 12 + "]" * 12, "[" * 9_000 + "]" * 9_000):
        with pytest.raises(JsonRefusedError):
            exact_json.loads(text)
