"""Of several faults the first is told, in the order that `docs/security.md` has."""

from __future__ import annotations

import pytest

from tests.identity_provider import Trust, token
from tests.unit.gateway.served import Gateway

pytestmark = pytest.mark.anyio

WRONG = {
    "host": "elsewhere.example",
    "origin": "https://elsewhere.example",
    "authorization": "Bearer nobody",
    "accept": "image/png",
    "content-encoding": "br",
    "content-type": "text/plain",
}
RIGHT = {
    "host": "localhost",
    "origin": "http://localhost",
    "accept": "application/json",
    "content-encoding": "identity",
    "content-type": "application/json",
}


async def test_each_fault_is_told_before_those_of_the_rows_below_it(trust: Trust) -> None:
    gateway = Gateway(trust.settings())
    gateway.now_s, gateway.now_ms = trust.clock.now_s, trust.clock.epoch_ms()
    right = RIGHT | {"authorization": f"Bearer {token()}"}
    sent, told = dict(WRONG), []
    for name in WRONG:
        told.append((await gateway.client.post("/graphql", headers=sent, content=b"x")).status_code)
        sent[name] = right[name]
    assert told == [421, 403, 401, 406, 415, 415]
    sent["content-type"] = "text/plain"
    too_large = await gateway.client.post("/graphql", headers=sent, content=b"x" * 100_000)
    assert too_large.status_code == 413
    sent["content-encoding"] = "br"
    packed = await gateway.client.post("/graphql", headers=sent, content=b"x" * 100_000)
    assert (packed.status_code, "accept-encoding" in packed.headers) == (415, True)
    too_long = "/graphql?query=" + "x" * 20_000
    for name, status in (("accept", 406), ("authorization", 401)):
        wrong = {"accept": right["accept"], "authorization": right["authorization"]}
        assert (await gateway.client.get(too_long, headers=wrong)).status_code == 414
        refused = await gateway.client.get(too_long, headers=wrong | {name: WRONG[name]})
        assert refused.status_code == status
