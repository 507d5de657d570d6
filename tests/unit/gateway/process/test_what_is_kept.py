"""What each memory of a process counts, beside what Python says that it takes."""

from __future__ import annotations

import gc
import hashlib
import json
import tracemalloc
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import pytest

from gateway.access.caller import EVERYONE, Caller, Role
from gateway.access.masking import Masking
from gateway.analytics.cursor import Cursors
from gateway.analytics.model import Direction, Interval, RankBy
from gateway.analytics.query_plan import TopPlan
from gateway.documents.admission import Admission, Asker
from gateway.documents.named import Asked, Documents
from gateway.documents.preparation import Prepared
from gateway.execution.outcome import encode
from gateway.http.account_digests import AccountDigests
from gateway.http.reading import Answerable, Reading
from gateway.http.request import Head
from gateway.process.bounded_store import BoundedStore
from gateway.process.metrics import Metrics
from gateway.process.signing import Signer
from gateway.response_cache import entry
from gateway.response_cache.entry import Entry
from gateway.settings import Settings
from gateway.store.pinot.cohorts import Cohort
from gateway.store.pinot.remembered import Base, RememberedRankings
from gateway.store.rows.held import Held
from gateway.wiring.documents import make_preparation
from gateway.wiring.redis import make_budgets
from local_stack.settings import CHECKOUT
from tests.unit.gateway.store.rows import told as account_rows

pytestmark = pytest.mark.anyio

DIGESTS = AccountDigests(Masking(), Cursors(Signer([b"k"], b"cursor")))


SETTINGS = Settings()
NOW_MS = 1_763_800_000_000
ROOM = 1 << 28
MANY = 20
LEAST, MOST = 0.4, 1.1
"""Of what is counted that is taken: who counts too much keeps too little, and a dictionary grows in leaps."""

OPERATIONS = sorted((CHECKOUT / "graphql_schema" / "operations").glob("*.graphql"))
DOCUMENTS = {
    **{file.stem: file.read_text() for file in OPERATIONS},
    "tiny": "{a:pipeline{asOf}}",
    "one field again and again": f"{{pipeline{{{'asOf state ' * 200}}}}}",
    "aliases": f"{{{' '.join(f'a{n}:pipeline{{asOf}}' for n in range(20))}}}",
    "ids": f"{{accounts(ids:{json.dumps([f'acct-{n:06d}' for n in range(50)])}){{id}}}}",
    "spreads": f"{{pipeline{{{'...F ' * 150}}}}} fragment F on Pipeline{{asOf}}",
    "in line": f"{{pipeline{{{'...{asOf}' * 110}}}}}",
    "errors": f"{{pipeline{{{' '.join(f'nope{n}' for n in range(200))}}}}}",
    "not GraphQL": f"{{pipeline{{{'asOf ' * 500}",
    "a long comment": f"{{pipeline{{asOf}}}} #{'x' * 12_000}",
    "a long comment in wide letters": "{pipeline{asOf}} #" + "\N{GRINNING FACE}" * 3_000,
}


async def taken_by(fill: Callable[[], Awaitable[object]]) -> int:
    """Bytes that are still taken after what `fill` does."""
    gc.collect()
    tracemalloc.start()
    try:
        await fill()
        gc.collect()
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return taken


def require_near(taken: int, counted: int) -> None:
    assert LEAST * counted <= taken <= MOST * counted, f"{taken} taken, {counted} counted"


@pytest.mark.parametrize("name", DOCUMENTS)
async def test_documents(name: str) -> None:
    preparation = make_preparation(SETTINGS)

    def keep(number: int) -> None:
        # Texts come out of requests' JSON, each an object of its own.
        preparation.prepare(json.loads(json.dumps(DOCUMENTS[name] + " " * number)))

    async def fill() -> None:
        for number in range(1, MANY + 1):
            keep(number)

    keep(0)
    counted = preparation.kept_bytes
    taken = await taken_by(fill)
    require_near(taken, preparation.kept_bytes - counted)


@pytest.mark.parametrize("length", [20, 1_000, 12_000])
async def test_documents_by_hash(length: int) -> None:
    documents = Documents(True, 100_000, {}, "off", Metrics())

    async def fill() -> None:
        for number in range(100):
            text = f"{{ limits {{ maxCost }} }} #{number:06d}".ljust(length, "-")
            digest = hashlib.sha256(text.encode()).hexdigest()
            persisted = {"persistedQuery": {"version": 1, "sha256Hash": digest}}
            found = documents.find(Asked(text, None, persisted), "payer")
            assert found is not None
            documents.register(found, "payer")

    require_near(await taken_by(fill), documents.kept_bytes)


def caller(number: int) -> Caller:
    return Caller(f"key-{number}", Role.OWNER, frozenset({f"acct-{number:06d}"}), False)


@pytest.mark.parametrize("is_everyone", [True, False])
@pytest.mark.parametrize(
    ("text", "variables"),
    [
        ("{ limits { maxCost } }", None),
        ("query Q($id: ID!) { account(id: $id) { id } }", {"id": "acct-000001"}),
        ("query Q($ids: [ID!]!) { accounts(ids: $ids) { id } }", {"ids": ["é" * 60] * 50}),
        (DOCUMENTS["dashboard"], {"accountId": "a", "window": {"last": {"count": 1}}, "x": None}),
    ],
)
async def test_requests(text: str, variables: dict[str, Any] | None, is_everyone: bool) -> None:
    metrics = Metrics()
    admission = Admission(
        make_preparation(SETTINGS),
        make_budgets(SETTINGS, metrics, lambda: 5.0),
        SETTINGS.max_cost,
        SETTINGS.max_values,
    )
    documents = Documents(True, 10, {}, "off", metrics)
    reading = Reading(documents, admission, SETTINGS.max_body_bytes, ROOM, DIGESTS)

    async def read(number: int) -> None:
        asker = Asker(EVERYONE if is_everyone else caller(number), "127.0.0.1")
        head = Head("POST", b"", {b"content-type": b"application/json"})
        body = json.dumps({"query": text, "variables": variables}) + " " * number
        made = await reading.read(head, body.encode(), asker, _while_there)
        assert isinstance(made, Answerable)

    async def fill() -> None:
        for number in range(60):
            await read(1 + number)

    await read(0)
    counted = reading.kept_bytes
    require_near(await taken_by(fill), reading.kept_bytes - counted)


@pytest.mark.parametrize("rows", [0, 9, 100])
async def test_answers(rows: int) -> None:
    """What a JSON writer returns may hold more than it shows."""
    store: BoundedStore[Entry] = BoundedStore(ROOM)
    body = {"data": [{"accountId": f"acct-{n:06d}", "amount": "1.5"} for n in range(rows)]}

    async def fill() -> None:
        for number in range(100):
            made = entry.make(encode(body), number / 3, 1.0, 1.0, 30.0, 1)
            key = (caller(number).visibility, False), number.to_bytes(32, "big")
            store.put(key, made, made.size)

    require_near(await taken_by(fill), store.bytes)


@pytest.mark.parametrize("cohorts", [0, 64, 517])
async def test_rankings(cohorts: int) -> None:
    memory = RememberedRankings(ROOM)

    async def fill() -> None:
        for number in range(50):
            for start_ms in range(4):
                interval = Interval(start_ms, NOW_MS + number)
                scope = EVERYONE.may_read((f"acct-{number:06d}",))
                plan = TopPlan(scope, Direction.RECEIVED, interval, RankBy.TRANSACTION_AMOUNT, 11)
                hashes = frozenset(hash((number, start_ms, each)) >> 32 for each in range(cohorts))
                beyond = Cohort(NOW_MS - number, NOW_MS - start_ms, number / 7)
                base = Base(interval, NOW_MS + number, hashes, beyond, NOW_MS + number)
                memory.after(number % 2).remember(plan, base)

    require_near(await taken_by(fill), memory.kept_bytes)


@pytest.mark.parametrize("rows", [0, 1, 30, 400, 2_000])
@pytest.mark.parametrize("recent_ms", [0, 300_000])
async def test_rows_of_small_accounts(rows: int, recent_ms: int) -> None:
    store: BoundedStore[Held] = BoundedStore(ROOM)

    async def fill() -> None:
        for number in range(MANY):
            account_id = f"acct-{number:06d}"
            told = account_rows.told(
                *(
                    account_rows.row(
                        each,
                        arrived_ms=NOW_MS - recent_ms,
                        units=10**8 + each,
                        time_ms=NOW_MS - 1_000 * each,
                        is_reversal=each % 50 == 7,
                        is_sent=each % 2 == 0,
                        counterparty_id=f"acct-{number * each % 700:06d}",
                    )
                    # What is recent is little: a minute or two of an account's life.
                    for each in range(rows if recent_ms else min(rows, 30))
                ),
                as_of_ms=NOW_MS,
                account_id=account_id,
            )
            held = Held.of(told)
            store.put(account_id, held, held.bytes + len(account_id))

    require_near(await taken_by(fill), store.bytes)


async def _while_there(checking: Coroutine[Any, Any, Prepared]) -> Prepared:
    return await checking
