"""Documents and bodies that are more than anybody's fair share.

graphql-cop's alias overloading, field duplication, directive overloading, circular introspection, array batching;
DVGA's batch, deep recursion, resource intensive, field duplication, aliases based attacks; OWASP's depth, amount,
cost, batching, timeouts.
"""

# ruff: noqa: UP031 - documents with braces read better with % than with doubled braces

from __future__ import annotations

import json

import pytest

from gateway.settings import Settings
from tests.hostile_documents import CLASSES, documents
from tests.unit.gateway.served import Gateway

pytestmark = pytest.mark.anyio

JSON = {"content-type": "application/json"}


async def test_aliases_are_capped(gateway: Gateway) -> None:
    many = " ".join(f"a{n}: __typename" for n in range(101))
    await gateway.refused("{ %s }" % many, "GRAPHQL_VALIDATION_FAILED", "50 aliases")


async def test_duplicated_fields_are_capped(gateway: Gateway) -> None:
    await gateway.refused(
        "{ limits { %s } }" % ("maxFirst " * 1_000), "GRAPHQL_VALIDATION_FAILED", "600 tokens"
    )
    await gateway.refused(
        "{ limits { %s } }" % ("maxFirst " * 550), "GRAPHQL_VALIDATION_FAILED", "500 fields"
    )


async def test_directives_are_capped(gateway: Gateway) -> None:
    await gateway.refused(
        "{ __typename %s }" % ("@aa" * 51), "GRAPHQL_VALIDATION_FAILED", "50 directives"
    )


async def test_circular_introspection_is_refused(gateway: Gateway) -> None:
    inner = "fields { type { " * 4 + "name" + " } }" * 4
    await gateway.refused("{ __schema { types { %s } } }" % inner, "GRAPHQL_VALIDATION_FAILED")


async def test_repeated_introspection_is_a_matter_of_cost(gateway: Gateway) -> None:
    many = " ".join("a%d: __schema { types { name } }" % n for n in range(15))
    await gateway.refused("{ %s }" % many, "COST_LIMIT_EXCEEDED", "7501", "5000")


async def test_batches_are_not_answered(gateway: Gateway) -> None:
    one = {"query": "{ __typename }"}
    response = await gateway.client.post("/graphql", json=[one] * 10)
    assert response.status_code == 400
    assert "Batches" in response.json()["errors"][0]["message"]


async def test_deep_recursion_is_capped(gateway: Gateway) -> None:
    await gateway.refused("{ a" * 60 + " }" * 60, "GRAPHQL_VALIDATION_FAILED", "brackets")
    await gateway.refused("{ a" * 14 + " }" * 14, "GRAPHQL_VALIDATION_FAILED", "levels of fields")


async def test_circular_fragments_are_refused(gateway: Gateway) -> None:
    ring = "{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }"
    await gateway.refused(ring, "GRAPHQL_VALIDATION_FAILED", "Cannot spread fragment")


async def test_a_bomb_of_fragments_is_refused(gateway: Gateway) -> None:
    parts = " ".join(f"fragment F{n} on Query {{ ...F{n + 1} ...F{n + 1} }}" for n in range(20))
    bomb = "{ ...F0 } %s fragment F20 on Query { limits { maxFirst } }" % parts
    await gateway.refused(bomb, "GRAPHQL_VALIDATION_FAILED", "500 fields")


async def test_expensive_questions_are_a_matter_of_cost(gateway: Gateway) -> None:
    ids = ", ".join(f'"a{n}"' for n in range(50))
    top = "topCounterparties(window: {calendar: TODAY}, first: 100) { rows { rank } }"
    await gateway.refused("{ accounts(ids: [%s]) { %s } }" % (ids, top), "COST_LIMIT_EXCEEDED")


async def test_a_slow_store_ends_at_the_deadline() -> None:
    assert (
        Settings().deadline_ms == 5_000
    )  # and tests/unit/gateway/http/test_hanging_up.py shows that it holds


async def test_a_large_body_is_not_read(gateway: Gateway) -> None:
    response = await gateway.client.post("/graphql", content=b" " * 65_537, headers=JSON)
    assert response.status_code == 413


async def test_large_variables_are_refused(gateway: Gateway) -> None:
    for variables in ({"x": [1] * 2_000}, json.loads('{"a":' * 20 + "1" + "}" * 20)):
        response = await gateway.post("query ($x: [Int]) { __typename }", variables=variables)
        assert "levels" in response.json()["errors"][0]["message"]


async def test_many_errors_are_not_told_one_by_one(gateway: Gateway) -> None:
    response = await gateway.post("{ limits { %s } }" % " ".join(f"x{n}" for n in range(400)))
    assert len(response.json()["errors"]) == 5
    assert len(response.content) < 3_000


async def test_generated_documents_end_in_an_answer_or_a_clients_error(gateway: Gateway) -> None:
    seen = set()
    for kind, text in documents(seed=2_026, number=2_000):
        response = await gateway.post(text.encode("utf-8", "replace").decode())
        assert response.status_code < 500, (kind, text)
        body = response.json()
        codes = {each["extensions"]["code"] for each in body.get("errors", ())}
        assert "INTERNAL_SERVER_ERROR" not in codes, (kind, text)
        assert len(response.content) < 200_000
        seen.add(kind)
    assert seen == {make.__name__ for make in CLASSES}
    assert max(len(line) for line in gateway.log.getvalue().splitlines()) <= 1_024
