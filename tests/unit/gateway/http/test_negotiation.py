"""Which media type an answer has, and the status that goes with it."""

from __future__ import annotations

import pytest

from gateway.http import view
from tests.unit.gateway.served import GRAPHQL, Gateway

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        (None, "application/json"),
        ("*/*", "application/json"),
        ("application/json", "application/json"),
        (GRAPHQL, GRAPHQL),
        (f"{GRAPHQL}, application/json;q=0.9", GRAPHQL),
        (f"{GRAPHQL};q=0.5, application/json;q=0.9", "application/json"),
        # urql's own
        (
            (
                f"{GRAPHQL}, application/graphql+json, application/json, text/event-stream, "
                "multipart/mixed"
            ),
            GRAPHQL,
        ),
        (f"application/json, {GRAPHQL}", "application/json"),
        ("application/*", "application/json"),
        (f"{GRAPHQL};q=0, */*", "application/json"),
    ],
)
async def test_accept_is_ranked(gateway: Gateway, accept: str | None, media_type: str) -> None:
    headers = {} if accept is None else {"accept": accept}
    if accept is None:
        gateway.client.headers.pop("accept")
    response = await gateway.post("{ limits { maxFirst } }", headers=headers)
    assert response.headers["content-type"] == f"{media_type}; charset=utf-8"
    assert response.headers["vary"] == "Accept, Authorization, X-API-Key"


async def test_an_accept_that_fits_nothing_is_406(gateway: Gateway) -> None:
    response = await gateway.post("{ limits { maxFirst } }", headers={"accept": "image/png"})
    assert response.status_code == 406
    assert response.json()["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"


@pytest.mark.parametrize("query", ["{", "{ nonsense }", "query ($x: Int!) { __typename }"])
async def test_request_errors_are_400_under_the_new_type_and_200_under_the_old(
    gateway: Gateway, query: str
) -> None:
    assert (await gateway.post(query, headers={"accept": GRAPHQL})).status_code == 400
    legacy = await gateway.post(query, headers={"accept": "application/json"})
    assert legacy.status_code == 200
    assert legacy.json()["errors"]


async def test_of_a_long_accept_header_only_the_beginning_is_read_and_remembered(
    gateway: Gateway,
) -> None:
    view._accepted.cache_clear()
    for number, length in enumerate((view.MAX_ACCEPT_BYTES, 5_000, 20_000)):
        accept = f"{GRAPHQL}," + "a" * (length - len(GRAPHQL) - 1 + 10 * number)
        answer = await gateway.post("{ limits { maxFirst } }", headers={"accept": accept})
        assert answer.headers["content-type"].startswith(GRAPHQL)
    assert view._accepted.cache_info().currsize == 1
