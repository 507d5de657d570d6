"""Text that would be something else to a store, a page or a log.

DVGA's OS command, SQL, HTML and log injection, query deny-list bypass, path traversal by upload; OWASP's injection and
input validation. Forged tokens are with the tests of authentication.
"""

# ruff: noqa: UP031 - documents with braces read better with % than with doubled braces

from __future__ import annotations

import json

import pytest

from tests.unit.gateway.served import Gateway

pytestmark = pytest.mark.anyio

TOTALS = "totals(window: {calendar: TODAY}) { transactionCount }"

ODD_IDS = (
    "' OR 1=1 --",
    '"; DROP TABLE x; --',
    "$(id)",
    "`id`",
    "../../etc/passwd",
    "%00",
    "{{7*7}}",
)


@pytest.mark.parametrize("odd", ODD_IDS)
async def test_an_odd_id_is_an_account_nobody_heard_of(gateway: Gateway, odd: str) -> None:
    query = "query ($id: ID!) { account(id: $id) { id %s } }" % TOTALS
    body = (await gateway.post(query, variables={"id": odd})).json()
    assert body["data"]["account"] == {"id": odd, "totals": {"transactionCount": 0}}


async def test_html_stays_json(gateway: Gateway) -> None:
    response = await gateway.post("{ <script>alert(1)</script> }")
    assert response.headers["content-type"].startswith("application/json")


async def test_a_log_line_cannot_be_forged(gateway: Gateway) -> None:
    forged = 'x\n{"event": "forged"}\r\n\x1b[31m\u2028'
    await gateway.post("query A { __typename }", operationName=forged)
    await gateway.post("query %s { __typename }" % forged)
    headers = {"x-request-id": 'a{"event":"forged"}'}
    await gateway.client.post("/graphql", json={"query": "{ __typename }"}, headers=headers)
    lines = gateway.log.getvalue().splitlines()
    assert len(lines) == 3
    assert {json.loads(line)["event"] for line in lines} == {"operation"}
    assert all(character >= " " for line in lines for character in line)


async def test_a_bad_request_writes_little_and_no_secrets(gateway: Gateway) -> None:
    account, token = "account-of-somebody-in-particular", "secret-token-0123456789"
    asked = [
        "x" * 16_000,
        "query %s { __typename }" % ("N" * 10_000),
        '{ account(id: "%s") { %s nonsense } }' % (account, TOTALS),
        '{ account(id: "%s\\n") { %s } }' % (account, TOTALS),
        "{ accounts(ids: [%s]) { %s } }" % (",".join(f'"{account}{n}"' for n in range(49)), TOTALS),
    ]
    for query in asked:
        gateway.log.truncate(0)
        gateway.log.seek(0)
        headers = {"authorization": f"Bearer {token}", "x-api-key": token}
        await gateway.client.post("/graphql", json={"query": query}, headers=headers)
        written = gateway.log.getvalue()
        assert 0 < len(written.encode()) <= 1_024
        assert account not in written
        assert token not in written
