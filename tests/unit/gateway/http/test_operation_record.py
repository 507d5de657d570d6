"""What the log tells of an operation, and what it does not."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gateway.analytics.asking import StoreResult
from gateway.analytics.query_plan import QueryPlan
from gateway.errors import PartialAnswerError, StoreUnavailableError
from gateway.process import logs
from gateway.settings import Settings
from tests.unit.gateway.served import ENTRIES, TOP, TOTALS, Gateway, HeldStore

pytestmark = pytest.mark.anyio


async def test_one_log_line_an_operation_without_account_ids(gateway: Gateway) -> None:
    await gateway.post(
        TOP, operationName="Top", headers={"x-request-id": "request-7"}, variables={"id": "alice"}
    )
    (line,) = gateway.log.getvalue().splitlines()
    told = json.loads(line)
    assert (told["event"], told["operation"], told["request_id"]) == (
        "operation",
        "Top",
        "request-7",
    )
    assert (told["store_queries"], told["outcome"], told["status"]) == (3, "ok", 200)
    assert "alice" not in line


async def test_what_libraries_say_is_json_too(gateway: Gateway) -> None:
    logging.getLogger("uvicorn.error").warning("careful: %s", "hot")
    logging.getLogger("uvicorn.error").info("not told")
    (line,) = gateway.log.getvalue().splitlines()
    assert (json.loads(line)["event"], json.loads(line)["level"]) == ("careful: hot", "warning")


async def test_documents_that_are_not_trusted_are_told_in_the_log(tmp_path: Path) -> None:
    manifest = tmp_path / "documents.json"
    manifest.write_text(json.dumps({"sha256:abc": "{ limits { maxFirst } }"}))
    gateway = Gateway(Settings(trusted_documents="log", trusted_documents_manifest=str(manifest)))
    await gateway.ask("{ limits { maxFirst } }")
    await gateway.ask("query Mine { limits { maxDepth } }")
    told = [json.loads(line) for line in gateway.log.getvalue().splitlines()]
    assert [(line["trusted"], line.get("operation")) for line in told] == [
        (True, None),
        (False, "Mine"),
    ]


SAID = "SELECT amount FROM account_entries WHERE account_id = 'alice-7'"


class BrokenStore(HeldStore):
    """A store whose errors say what they should not."""

    error_of: Callable[[], Exception]

    async def fetch(self, plan: QueryPlan[Any], timeout_s: float) -> StoreResult[Any]:
        raise self.error_of() from ValueError(SAID)


@pytest.mark.parametrize("kind", [RuntimeError, KeyError, ValueError, LookupError])
async def test_what_was_not_foreseen_is_told_by_its_kind_and_place_alone(
    kind: type[Exception],
) -> None:
    store = BrokenStore(ENTRIES)
    store.error_of = lambda: kind(SAID)
    gateway = Gateway(store=store)
    assert await gateway.code(TOTALS) == "INTERNAL_SERVER_ERROR"
    told = gateway.log.getvalue()
    (line,) = (json.loads(each) for each in told.splitlines() if "store_or_gateway" in each)
    assert line["cause"] == kind.__name__
    first, second = line["exception"]
    assert first.startswith(f"{kind.__name__} at test_operation_record.py:")
    assert second.startswith("ValueError")
    assert "SELECT" not in told
    assert "alice" not in told


@pytest.mark.parametrize(
    "error", [StoreUnavailableError("it is away"), PartialAnswerError("1 of 2 servers")]
)
async def test_what_was_foreseen_is_told_in_our_words(error: Exception) -> None:
    store = BrokenStore(ENTRIES)
    store.error_of = lambda: error
    gateway = Gateway(store=store)
    await gateway.ask(TOTALS)
    assert str(error) in gateway.log.getvalue()
    assert "SELECT" not in gateway.log.getvalue()


async def test_what_libraries_say_of_exceptions_is_told_without_their_words(
    gateway: Gateway,
) -> None:
    uvicorn = logging.getLogger("uvicorn.error")
    uvicorn.error("Exception in ASGI application", exc_info=RuntimeError(SAID))

    async def fail() -> None:
        raise RuntimeError(SAID)

    context = {"message": "Task exception was never retrieved", "exception": RuntimeError(SAID)}
    asyncio.get_running_loop().default_exception_handler({**context, "future": fail})
    logs.logger().error("own", exc_info=True)
    told = [json.loads(line) for line in gateway.log.getvalue().splitlines()]
    assert [each["event"] for each in told] == [
        "Exception in ASGI application",
        "Task exception was never retrieved",
        "own",
    ]
    assert "SELECT" not in gateway.log.getvalue()
