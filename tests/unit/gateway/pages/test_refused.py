"""Credentials that are refused at a page leave a trace."""

from __future__ import annotations

import json

import pytest

from tests.identity_provider import Trust
from tests.unit.gateway.served import Gateway

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("path", ["/metrics", "/docs", "/schema.graphql"])
async def test_who_is_refused_where_and_why_is_logged(path: str, trust: Trust) -> None:
    gateway = Gateway(trust.settings(introspection=False))
    for headers in ({}, {"authorization": "Bearer nobody"}):
        await gateway.client.get(path, headers=headers)
    told = [json.loads(line) for line in gateway.log.getvalue().splitlines()]
    refused = [each for each in told if each["event"] == "refused"]
    assert [each["cause"] for each in refused] == ["missing", "token_malformed"]
    assert {(each["path"], each["address"]) for each in refused} == {(path, "127.0.0.1")}
    assert "nobody" not in gateway.log.getvalue()
