"""What `limits` promises can be asked for in full, in whichever script and however it is written."""

# ruff: noqa: UP031 - documents with braces read better with % than with doubled braces

from __future__ import annotations

import json
from urllib.parse import quote, urlencode

import pytest

from gateway.access.account_id import MAX_ACCOUNT_ID_LENGTH
from gateway.http.request import MAX_URL_BYTES
from gateway.settings import Settings
from tests.unit.gateway.served import Gateway

pytestmark = pytest.mark.anyio
QUERY = "query Many($ids: [ID!]!) { accounts(ids: $ids) { id } }"
JSON = {"content-type": "application/json"}
LETTERS = ["a", "é", "ж", "ع", "क", "한", "金", "😀", "𝒜", "𠀀", '"', "\\", "/"]


def ids_of(letter: str) -> list[str]:
    """As many ids as one operation may name, each as long as it may be."""
    count = Settings().max_accounts
    return [f"{number:02}" + letter * (MAX_ACCOUNT_ID_LENGTH - 2) for number in range(count)]


def escaped(text: str) -> str:
    """The JSON of a text with every character as UTF-16 units, which is the longest way there is."""
    units = text.encode("utf-16-be").hex()
    return '"' + "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4)) + '"'


@pytest.mark.parametrize("letter", LETTERS)
async def test_as_many_ids_as_there_may_be_fit_a_body(gateway: Gateway, letter: str) -> None:
    ids = ids_of(letter)
    known = {"accounts": [{"id": each} for each in ids]}
    inline = "{ accounts(ids: %s) { id } }" % json.dumps(ids, ensure_ascii=False)
    twice = "{ accounts(ids: [%s]) { id } }" % ", ".join(map(escaped, ids))
    written = ", ".join(escaped(each) for each in ids)
    for body in (
        json.dumps({"query": QUERY, "variables": {"ids": ids}}),
        json.dumps({"query": QUERY, "variables": {"ids": ids}}, ensure_ascii=False, indent=2),
        json.dumps({"query": inline}),
        json.dumps({"query": inline}, ensure_ascii=False),
        '{"query": %s, "variables": {"ids": [%s]}}' % (escaped(QUERY), written),
        '{"query": %s}' % escaped(inline),
        json.dumps({"query": twice}),
    ):
        response = await gateway.client.post("/graphql", content=body.encode(), headers=JSON)
        assert response.json().get("data") == known, response.text[:500]


async def test_one_id_too_many_or_one_character_too_long_is_refused_as_that(
    gateway: Gateway,
) -> None:
    ids = ids_of("😀")
    for wrong, told in (([*ids, "one"], "up to 50 accounts"), ([ids[0] + "x"], "1 to 64 char")):
        asked = {"query": QUERY, "variables": {"ids": wrong}}
        response = await gateway.client.post("/graphql", json=asked)
        assert told in response.json()["errors"][0]["message"]


async def test_a_url_says_how_long_it_may_be_and_what_to_do(gateway: Gateway) -> None:
    def url(letter: str) -> str:
        variables = json.dumps({"ids": ids_of(letter)}, ensure_ascii=False)
        asked = {"query": QUERY, "variables": variables}
        return f"/graphql?{urlencode(asked, quote_via=quote)}"

    short = await gateway.client.get(url("a"))
    assert len(short.json()["data"]["accounts"]) == 50
    response = await gateway.client.get(url("😀"))
    assert response.status_code == 414
    assert (
        response.json()["errors"][0]["message"]
        == f"The URL may have up to {MAX_URL_BYTES} bytes; send a POST."
    )
    asked = "/graphql?query={__typename}&x="
    for size, status in ((MAX_URL_BYTES, 200), (MAX_URL_BYTES + 1, 414)):
        filled = asked + "y" * (size - len(asked.partition("?")[2]))
        assert (await gateway.client.get(filled)).status_code == status
    small = Gateway(Settings(max_body_bytes=100))
    assert (await small.client.get(asked + "y" * 100)).status_code == 414


async def test_a_document_that_is_sent_has_its_own_limit(gateway: Gateway) -> None:
    for size, code in ((40_960, None), (40_961, "GRAPHQL_VALIDATION_FAILED")):
        query = "{ __typename }".ljust(size)
        answer = (await gateway.client.post("/graphql", json={"query": query})).json()
        assert (
            answer.get("errors", [{"extensions": {"code": None}}])[0]["extensions"]["code"] == code
        )
