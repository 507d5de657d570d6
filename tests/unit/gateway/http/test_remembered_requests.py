"""Requests that are remembered by their bytes: who asks, and what was withdrawn, is settled anew each time."""

from __future__ import annotations

import asyncio
import hashlib
import json
import threading
from pathlib import Path

import httpx
import pytest

from gateway.access.auth import api_keys
from gateway.access.auth.api_keys import ApiKey
from gateway.access.caller import Caller, Role
from gateway.app import create_app
from gateway.documents import line
from gateway.documents.preparation import Preparation, Prepared
from gateway.settings import Settings
from tests.unit.gateway.fakes import NOW_MS, ReferenceStore
from tests.unit.gateway.served import ENTRIES, TOTALS, Gateway

pytestmark = pytest.mark.anyio

ALICE = Caller("alice-key", Role.OWNER, frozenset({"alice"}), True)
BOB = Caller("bob-key", Role.OWNER, frozenset({"bob"}), True)


async def test_a_caller_that_may_not_gets_nothing_out_of_another_s_equal_bytes() -> None:
    gateway = Gateway(caller=ALICE)
    for _ in range(2):
        assert (await gateway.post()).json()["data"]["account"]["totals"] is not None
    gateway.caller = BOB
    for _ in range(2):
        answer = (await gateway.post()).json()
        assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"
        assert answer["data"] == {"account": None}
    gateway.caller = ALICE
    assert "errors" not in (await gateway.post()).json()


async def test_equal_bytes_of_another_caller_cost_it_what_they_cost_the_first() -> None:
    cost = (await Gateway(caller=ALICE).post()).json()["extensions"]["cost"]["requested"]
    burst = 20 + cost  # a document that is new takes 20 points
    gateway = Gateway(Settings(budget_per_s=1, budget_burst=burst), caller=ALICE)
    assert (await gateway.post()).json()["extensions"]["cost"]["remaining"] == 0
    assert (await gateway.post()).status_code == 429
    gateway.caller = Caller("alice-other-key", Role.OWNER, frozenset({"alice"}), True)
    again = await gateway.post()
    assert again.headers["age"] == "0"
    assert again.json()["extensions"]["cost"]["remaining"] == 0


async def test_a_revoked_key_gets_no_remembered_answer(tmp_path: Path) -> None:
    file, now_s = tmp_path / "keys.json", 1_000.0
    key_id, secret, digest = api_keys.new_secret()

    def keep(revoked: str | None) -> None:
        key = ApiKey(
            id=key_id,
            name="alice",
            role=Role.OWNER,
            sha256=digest,
            created="2025-01-01T00:00:00Z",
            expires=None,
            revoked=revoked,
            accounts=frozenset({"alice"}),
            groups=(),
            sees_counterparties=True,
        )
        fresh = tmp_path / "new.json"
        fresh.write_bytes(api_keys.dump([key]))
        fresh.chmod(0o600)
        fresh.replace(file)

    keep(None)
    masking = tmp_path / "masking"
    masking.write_bytes(b"m" * 32)
    masking.chmod(0o600)
    settings = Settings(auth="api_key", auth_keys=str(file), masking_key_file=str(masking))
    app = create_app(
        settings, ReferenceStore(ENTRIES), epoch_ms=lambda: NOW_MS, monotonic=lambda: now_s
    )
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app),
        base_url="http://localhost",
        headers={"x-api-key": secret},
    ) as client:
        for _ in range(2):
            assert (await client.post("/graphql", json={"query": TOTALS})).status_code == 200
        keep("2025-11-01T00:00:00Z")
        now_s += 1.1
        refused = await client.post("/graphql", json={"query": TOTALS})
        assert (refused.status_code, "data" in refused.json()) == (401, False)


async def test_a_hash_that_is_forgotten_is_asked_for_again_though_its_request_is_remembered() -> (
    None
):
    gateway = Gateway(Settings(persisted_queries_max=1))
    others = [TOTALS.replace("alice", f"bob{number}") for number in range(9)]

    async def by_hash(text: str, query: str | None) -> httpx.Response:
        named = {"version": 1, "sha256Hash": hashlib.sha256(text.encode()).hexdigest()}
        body = {"query": query, "extensions": {"persistedQuery": named}}
        return await gateway.client.post("/graphql", json=body)

    await by_hash(TOTALS, TOTALS)
    for _ in range(2):
        assert "errors" not in (await by_hash(TOTALS, None)).json()
    assert await gateway.metric('gateway_persisted_documents_total{result="apq_hit"}') == 2
    for other in others:
        await by_hash(other, other)
        await by_hash(other, None)
    forgotten = (await by_hash(TOTALS, None)).json()
    assert forgotten["errors"][0]["extensions"]["code"] == "PERSISTED_QUERY_NOT_FOUND"


async def test_a_hash_is_not_known_to_whoever_did_not_register_it() -> None:
    gateway = Gateway(caller=ALICE)
    named = {"version": 1, "sha256Hash": hashlib.sha256(TOTALS.encode()).hexdigest()}

    async def by_hash(caller: Caller, query: str | None) -> str | None:
        gateway.caller = caller
        body = {"query": query, "extensions": {"persistedQuery": named}}
        answer = (await gateway.client.post("/graphql", json=body)).json()
        return answer["errors"][0]["extensions"]["code"] if "errors" in answer else None

    equal = Caller("alice-other-key", Role.OWNER, frozenset({"alice"}), True)
    assert [await by_hash(ALICE, query) for query in (TOTALS, None, None)] == [None] * 3
    for other in (equal, BOB):
        assert await by_hash(other, None) == "PERSISTED_QUERY_NOT_FOUND"
    assert [await by_hash(equal, query) for query in (TOTALS, None)] == [None] * 2
    assert await by_hash(BOB, None) == "PERSISTED_QUERY_NOT_FOUND"


async def test_uses_of_trusted_and_of_other_documents_are_counted_each_time(tmp_path: Path) -> None:
    manifest = tmp_path / "manifest.json"
    manifest.write_text(json.dumps({"sha256:known": TOTALS}))
    gateway = Gateway(Settings(trusted_documents="log", trusted_documents_manifest=str(manifest)))
    for _ in range(3):
        await gateway.client.post("/graphql", json={"documentId": "sha256:known"})
        await gateway.post("{ limits { maxFirst } }")
    for result in ("trusted_hit", "untrusted"):
        assert await gateway.metric(f'gateway_persisted_documents_total{{result="{result}"}}') == 3


async def test_an_untrusted_document_is_refused_each_time_where_only_trusted_ones_are_answered(
    tmp_path: Path,
) -> None:
    manifest = tmp_path / "manifest.json"
    manifest.write_text(json.dumps({"sha256:known": TOTALS}))
    gateway = Gateway(
        Settings(trusted_documents="enforce", trusted_documents_manifest=str(manifest))
    )
    for _ in range(2):
        refused = (await gateway.post("{ limits { maxFirst } }")).json()
        assert refused["errors"][0]["extensions"]["code"] == "PERSISTED_QUERY_NOT_SUPPORTED"
        assert "errors" not in (await gateway.post(TOTALS)).json()


@pytest.mark.parametrize(
    ("settings", "passed_s", "status", "told"),
    [
        (Settings(cache=False), 2, 503, "RATE_LIMITED"),
        (Settings(), 2, 200, None),
        (Settings(), 20, 503, "RATE_LIMITED"),
    ],
)
async def test_a_document_that_is_forgotten_and_finds_no_room_is_answered_as_overload(
    settings: Settings,
    passed_s: float,
    status: int,
    told: str | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    begun, held, check = threading.Event(), threading.Event(), Preparation.check

    def checked(self: Preparation, text: str) -> Prepared:
        if "carol" in text:
            begun.set()
            assert held.wait(10)
        return check(self, text)

    monkeypatch.setattr(Preparation, "check", checked)
    monkeypatch.setattr(Preparation, "keep", lambda *_: None)
    monkeypatch.setattr(line, "MAX_TOKENS", 30)
    gateway = Gateway(settings, caller=ALICE)
    assert (await gateway.post()).status_code == 200
    gateway.passes(passed_s)
    filling = asyncio.ensure_future(gateway.post(TOTALS.replace("alice", "carol")))
    assert await asyncio.to_thread(begun.wait, 10)
    answer = await gateway.post(headers={"accept": "application/graphql-response+json"})
    held.set()
    await filling
    assert answer.status_code == status
    codes = [each["extensions"]["code"] for each in answer.json().get("errors", [])]
    assert codes == ([] if told is None else [told])
    assert ("age" in answer.headers, "retry-after" in answer.headers) == (not told, bool(told))
