"""Operations are answered byte for byte as graphql-core answers them, errors included."""

from __future__ import annotations

import asyncio
import json
import time
import zlib
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from graphql import (
    ExecutionResult,
    execute,
    get_introspection_query,
    get_operation_ast,
    parse,
)
from graphql.execution import Executor
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from gateway.access.caller import EVERYONE, Caller, Role
from gateway.access.masking import Masking
from gateway.analytics.asking import StoreResult
from gateway.analytics.cursor import Cursors
from gateway.analytics.query_plan import QueryPlan
from gateway.documents import validation
from gateway.documents.preparation import MAX_ERRORS
from gateway.errors import OverloadedError, PartialAnswerError, StoreUnavailableError
from gateway.execution.executor import GatewayExecutor
from gateway.execution.operation import Execution, Operation
from gateway.execution.outcome import Outcome
from gateway.execution.schema import make_schema
from gateway.process.metrics import Metrics
from gateway.process.signing import Signer
from gateway.settings import Settings
from gateway.store.overload.party import Party
from gateway.wiring.documents import make_preparation
from gateway.wiring.operations import make_context_maker, make_execution
from gateway.wiring.stores import admitted
from tests.generated_operations import BETWEEN, Generated, operations
from tests.unit.gateway.analytics.few_transfers import DATA
from tests.unit.gateway.fakes import NOW_MS, ReferenceStore

FOLDER = Path(__file__).parents[4] / "graphql_schema" / "operations"
SCHEMA = make_schema().graphql_schema
OWNER = Caller("owner", Role.OWNER, frozenset({"alice"}), sees_counterparties=True)
PARTNER = Caller("partner", Role.PARTNER, frozenset({"alice", "bob"}), sees_counterparties=False)
ERRORS = (StoreUnavailableError("no"), PartialAnswerError("some"), RuntimeError("a bug"))
VARIABLES = {
    "accountId": "alice",
    "otherId": "bob",
    "transactionId": "00000000-0000-0000-0000-000000000003",
    "accountIds": ["alice", "bob"],
    "window": {"between": BETWEEN},
    "granularity": "DAY",
    "timeZone": "Asia/Ho_Chi_Minh",
}


@dataclass
class Weather:
    """Which plans fail and how slowly the others are answered, always the same for one seed."""

    seed: int
    broken_of_8: int
    overloaded: bool = False
    store: ReferenceStore = field(default_factory=lambda: ReferenceStore(DATA))
    sample_data: bool = field(default=False, init=False)

    async def open(self) -> None:
        """Nothing to open."""

    async def close(self) -> None:
        """Nothing to close."""

    async def fetch(self, plan: QueryPlan[Any], timeout_s: float) -> StoreResult[Any]:
        """The reference's rows after some steps of the loop, or an error."""
        about = type(plan).__name__, getattr(plan, "interval", None), getattr(plan, "limit", None)
        number = zlib.crc32(f"{self.seed}{about}".encode())
        for _ in range(number % 4):
            await asyncio.sleep(0)
        if number // 8 % 8 < self.broken_of_8:
            if self.overloaded:
                raise OverloadedError("too much")
            raise ERRORS[number // 64 % len(ERRORS)]
        return await self.store.fetch(plan, timeout_s)


CHOSEN = Settings(max_store_queries=12)
CURSORS = Cursors(Signer([b"k"], b"cursor"))
PREPARATION = make_preparation(CHOSEN)


def execution(executor: type[Executor[None]], weather: Weather) -> Execution:
    counted = Metrics()
    store = admitted(weather, CHOSEN, counted, time.monotonic)
    make_context = make_context_maker(
        CHOSEN, store, Masking(b"k" * 32), counted, lambda: NOW_MS, time.monotonic, CURSORS
    )
    return replace(make_execution(CHOSEN, make_context), executor=executor)


def answered(
    executor: type[Executor[None]], operation: Operation, weather: Weather, caller: Caller
) -> Outcome:
    async def run() -> Outcome:
        outcome = await execution(executor, weather).answer(
            operation, caller, Party([caller]), "request"
        )
        # graphql-core leaves what stands beside a failure running.
        others = asyncio.all_tasks() - {asyncio.current_task()}
        await asyncio.gather(*others, return_exceptions=True)
        return outcome

    return asyncio.run(run())


def same(
    generated: Generated, weather: Weather, caller: Caller = EVERYONE, *, described: bool = False
) -> Outcome | None:
    """What both answer; `None` if the variables do not fit, in graphql-core's own words.

    No answer holds more values than its price says, the schema's description aside.
    """
    document = parse(generated.document)
    node = get_operation_ast(document)
    assert node is not None
    values = PREPARATION.coerce(node, generated.variables)
    if isinstance(values, list):
        expected = execute(
            SCHEMA, document, variable_values=generated.variables, max_coercion_errors=MAX_ERRORS
        )
        assert isinstance(expected, ExecutionResult)
        assert [each.formatted for each in values] == expected.formatted["errors"]
        return None
    operation = Operation(document, node, values)
    wanted = answered(Executor, operation, weather, caller)
    outcome = answered(GatewayExecutor, operation, weather, caller)
    assert outcome.body("request") == wanted.body("request")
    assert (outcome.data, outcome.has_data) == (wanted.data, wanted.has_data)
    assert (outcome.codes, outcome.status) == (wanted.codes, wanted.status)
    assert outcome.extensions == wanted.extensions
    assert outcome.field_class == wanted.field_class
    assert [repr(each) for each in outcome.causes] == [repr(each) for each in wanted.causes]
    whole = json.loads(outcome.body("request")).get("data")
    assert described or held(whole) <= 1 + PREPARATION.price(document, node, values).values
    return outcome


def held(value: Any) -> int:
    """The values in a part of an answer, objects among them."""
    if isinstance(value, list):
        return sum(map(held, value))
    return 1 + sum(map(held, value.values())) if isinstance(value, dict) else 1


@pytest.mark.parametrize("path", sorted(FOLDER.iterdir()), ids=lambda path: path.stem)
@pytest.mark.parametrize("broken_of_8", [0, 3])
def test_the_committed_operations(path: Path, broken_of_8: int) -> None:
    text = path.read_text()
    used = {name: each for name, each in VARIABLES.items() if f"${name}:" in text}
    for seed in range(8 if broken_of_8 else 1):
        outcome = same(Generated(text, used), Weather(seed, broken_of_8))
        assert outcome is not None
        assert broken_of_8 or not outcome.codes


@pytest.mark.parametrize(
    "text",
    [
        get_introspection_query(
            specified_by_url=True, directive_is_repeatable=True, schema_description=True
        ),
        "query Q($all: Boolean = true) { __schema { types { fields(includeDeprecated: $all) { name } } } }",
        '{ a: __type(name: "Answer") { possibleTypes { name } } b: __type(name: "Nothing") { name } }',
        "{ __typename __schema { __typename directives { args { defaultValue } } } }",
    ],
)
def test_the_schemas_own_description(text: str) -> None:
    outcome = same(Generated(text, {}), Weather(0, 0), described=True)
    assert outcome is not None
    assert not outcome.codes


@settings(
    max_examples=200,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(
    generated=operations(SCHEMA),
    seed=st.integers(0, 1_000),
    broken_of_8=st.sampled_from([0, 1, 2, 5]),
    overloaded=st.booleans(),
    caller=st.sampled_from([EVERYONE, EVERYONE, OWNER, PARTNER]),
)
def test_any_operation(
    generated: Generated, seed: int, broken_of_8: int, overloaded: bool, caller: Caller
) -> None:
    assume(not validation.validate(SCHEMA, parse(generated.document), 1))
    same(generated, Weather(seed, broken_of_8, overloaded), caller)
