"""The gateway that the callers ask."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import httpx
import pytest

from gateway.access.auth.keys import main as keys_command
from gateway.app import create_app
from gateway.process import logs
from tests.contract.authorisation.asked_for import BY_VARIABLE
from tests.contract.authorisation.world import AMOUNTS, UUID, WatchedStore, World
from tests.identity_provider import NOW_S, Trust, token
from tests.patience import PATIENCE_MS
from tests.store_cases import reversal, transfer


def created_key(path: Path, capsys: pytest.CaptureFixture[str], *words: str) -> str:
    capsys.readouterr()
    assert keys_command(["--store", str(path / "keys.json"), "create", "--name", *words]) == 0
    return capsys.readouterr().out.split()[0]


@pytest.fixture
async def world(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> AsyncIterator[World]:
    trust = Trust(tmp_path)
    trust.write("groups.json", {"friends": {"accounts": ["alice", "bobby"]}})
    trust.write("documents.json", {"trusted": BY_VARIABLE})
    partner = ("--role", "partner", "--group", "friends")
    key = created_key(tmp_path, capsys, "full", *partner, "--sees-counterparties")
    credentials = {
        "owner": token(),
        "partner": key,
        "masked partner": created_key(tmp_path, capsys, "masked", *partner),
        "second masked partner": created_key(tmp_path, capsys, "masked too", *partner),
        "partner by token": token(role="partner", accounts=["bobby"], sees_counterparties=True),
        "operator": created_key(tmp_path, capsys, "ops", "--role", "operator"),
        "wrong token": token()[:-4] + "AAAA",
        "expired token": token(exp=NOW_S - 60),
        "wrong key": key[:-1] + ("A" if key[-1] != "A" else "B"),
    }
    store = WatchedStore()
    await store.open()
    for number, (account, amount) in enumerate(AMOUNTS.items()):
        for step, other in enumerate(AMOUNTS):
            at_ms = (NOW_S - 3_600 * (3 * number + step + 1)) * 1000
            moved = (
                transfer(account, f"payer-{account}", UUID.format(number), Decimal(amount), at_ms)
                if other == account
                else transfer(account, other, UUID.format(100 * number + step), Decimal(5), at_ms)
            )
            taken_back = UUID.format(10_000 + 100 * number + step)
            store.load([*moved, *reversal(moved, taken_back, at_ms + 1_000)])
    store.load_rejected([("NOT_JSON", NOW_S * 1000 - 5)])
    settings = trust.settings(
        trusted_documents_manifest=str(tmp_path / "documents.json"),
        deadline_ms=PATIENCE_MS,
        max_store_queries=500,
        max_tokens=5_000,
        max_fields=5_000,
        max_cost=100_000,
        max_values=100_000,
        max_document_characters=65_536,
        budget_burst=1_000_000,
    )
    app = create_app(settings, store, trust.clock.epoch_ms, trust.clock.monotonic)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        made = World(store, client, credentials)
        logs.configure("info", made.log)
        yield made
    await store.close()
