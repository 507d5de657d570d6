"""A compiled operation answers byte for byte what graphql-core answers, errors included."""

from __future__ import annotations

import asyncio
import time
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from graphql import parse
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from gateway import validation, wiring
from gateway.caller import EVERYONE, Caller, Role
from gateway.compiled.program import Program
from gateway.errors import OverloadedError, PartialAnswerError, StoreUnavailableError
from gateway.execution import Execution, Operation
from gateway.masking import Masking
from gateway.metrics import Metrics
from gateway.outcome import Outcome
from gateway.query_plan import QueryPlan
from gateway.schema import make_schema
from gateway.settings import Settings
from gateway.store import StoreResult
from tests.generated_operations import BETWEEN, Generated, operations
from tests.unit.gateway.fakes import NOW_MS, ReferenceStore
from tests.unit.gateway.test_answers import DATA

FOLDER = Path(__file__).parents[4] / "graphql_schema" / "operations"
SCHEMA = make_schema().graphql_schema
OWNER = Caller("owner", Role.OWNER, frozenset({"alice"}), sees_counterparties=True)
PARTNER = Caller("partner", Role.PARTNER, frozenset({"alice", "bob"}), sees_counterparties=False)
ERRORS = (StoreUnavailableError("no"), PartialAnswerError("some"), RuntimeError("a bug"))
VARIABLES = {
    "accountId": "alice",
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


def execution(mode: str, weather: Weather) -> Execution:
    chosen, counted = Settings(execution=mode, max_store_queries=12), Metrics()
    store = wiring.admitted(weather, chosen, counted, time.monotonic)
    make_context = wiring.make_context_maker(
        chosen, store, Masking(b"k" * 32), counted, lambda: NOW_MS, time.monotonic
    )
    return wiring.make_execution(chosen, make_context)


def compiled_by(gateway: Execution, operation: Operation) -> Program | None:
    """The operation's program after as many executions as any is waited for."""
    asked = operation.document, operation.name, operation.key, operation.tokens
    each = (gateway.compiler and gateway.compiler.program(*asked) for _ in range(10))
    return next((program for program in each if program), None)


def answered(
    mode: str, generated: Generated, weather: Weather, caller: Caller
) -> tuple[Outcome, Program | None]:
    document = parse(generated.document)
    operation = Operation(document, None, generated.variables, "document", 1_000)
    gateway = execution(mode, weather)
    program = compiled_by(gateway, operation)

    async def run() -> Outcome:
        outcome = await gateway.answer(operation, caller, "request")
        # graphql-core leaves what stands beside a failure running.
        others = asyncio.all_tasks() - {asyncio.current_task()}
        await asyncio.gather(*others, return_exceptions=True)
        return outcome

    return asyncio.run(run()), program


def same(
    generated: Generated, weather: Weather, caller: Caller = EVERYONE
) -> tuple[Outcome, Program]:
    expected, _ = answered("graphql-core", generated, weather, caller)
    outcome, program = answered("compiled", generated, weather, caller)
    assert isinstance(program, Program)
    assert outcome.body("request") == expected.body("request")
    assert (outcome.data, outcome.has_data) == (expected.data, expected.has_data)
    assert (outcome.codes, outcome.status) == (expected.codes, expected.status)
    assert outcome.extensions == expected.extensions
    assert outcome.field_class == expected.field_class
    assert [repr(each) for each in outcome.causes] == [repr(each) for each in expected.causes]
    return outcome, program


@pytest.mark.parametrize("path", sorted(FOLDER.iterdir()), ids=lambda path: path.stem)
@pytest.mark.parametrize("broken_of_8", [0, 3])
def test_the_committed_operations(path: Path, broken_of_8: int) -> None:
    text = path.read_text()
    used = {name: each for name, each in VARIABLES.items() if f"${name}:" in text}
    for seed in range(8 if broken_of_8 else 1):
        outcome, program = same(Generated(text, used), Weather(seed, broken_of_8))
        assert broken_of_8 or not outcome.codes
        assert list(program.plans) == [()]
        assert program.plans[()] is not None


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
