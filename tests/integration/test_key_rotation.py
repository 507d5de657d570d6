"""Keys rotated while requests flow, on a gateway in a process of its own: nobody valid is refused, the old key is."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from tests.identity_provider import (
    AUDIENCE,
    ISSUER,
    Trust,
    claims,
    compact,
    header,
    key_set,
    public_jwk,
    rsa_key,
)
from tests.integration.gateway_process import CHECKOUT, running

ROTATIONS = 3
ASKERS = 4
REFUSED_WITHIN_S = 10
"""The promise is two seconds, which a test with a clock of its own holds to; this has room for a busy machine."""

QUESTION = (
    'query Load($hours: Int!) { account(id: "acct-000001") {'
    " totals(window: {last: {count: $hours, unit: HOUR}}) { transactionCount } } }"
)


@dataclass
class Traffic:
    """Requests with whatever credentials are valid at the moment; what came back, by kind."""

    client: httpx.AsyncClient
    valid: dict[str, str]
    seen: Counter[str] = field(default_factory=Counter)

    async def ask(self, credential: str, hours: int = 1) -> httpx.Response:
        body = {"query": QUESTION, "variables": {"hours": hours}}
        headers = {"Authorization": f"Bearer {credential}"}
        return await self.client.post("/graphql", json=body, headers=headers)

    async def flow(self, number: int) -> None:
        while True:
            number += ASKERS
            name = sorted(self.valid)[number // ASKERS % len(self.valid)]
            answer = await self.ask(self.valid[name], 1 + number % 500)
            good = answer.status_code == 200 and "errors" not in answer.json()
            self.seen[f"{name} answered" if good else f"{name} {answer.text[:200]}"] += 1

    @asynccontextmanager
    async def flowing(self) -> AsyncIterator[None]:
        """Requests, all the time; a connection that breaks fails the test."""
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self.flow(number)) for number in range(ASKERS)]
            yield
            for task in tasks:
                task.cancel()

    async def served(self, names: Mapping[str, str], more: int = 20) -> None:
        """Until each of these credentials was answered some more times."""
        wanted = {name: self.seen[f"{name} answered"] + more for name in names}
        async with asyncio.timeout(60):
            while True:
                if all(self.seen[f"{name} answered"] >= count for name, count in wanted.items()):
                    return
                await asyncio.sleep(0.01)

    async def refused(self, credential: str) -> None:
        """Until a credential is refused, and from then on always."""
        async with asyncio.timeout(REFUSED_WITHIN_S):
            while (await self.ask(credential)).status_code != 401:
                pass
        for _ in range(20):
            assert (await self.ask(credential)).status_code == 401


@dataclass
class Holder:
    """A holder of API keys, and an identity provider whose tokens it also gets."""

    trust: Trust

    def keys(self, *words: str) -> str:
        command = [sys.executable, "-m", "gateway.access.auth.keys"]
        command += ["--store", str(self.trust.folder / "keys.json"), *words]
        return subprocess.run(
            command, cwd=CHECKOUT, capture_output=True, text=True, check=True
        ).stdout.split()[0]

    def token(self, number: int) -> str:
        now_s = int(time.time())
        said = claims(iat=now_s, exp=now_s + 3_600, accounts=["acct-000001"])
        return compact(rsa_key(str(number)), header(kid=f"rsa-{number}"), said)

    def publish(self, *numbers: int) -> None:
        jwks = [public_jwk(rsa_key(str(number)), f"rsa-{number}") for number in numbers]
        self.trust.write("jwks.json", key_set(*jwks))


@pytest.mark.anyio
async def test_keys_rotate_under_load_and_nobody_valid_is_refused(tmp_path: Path) -> None:
    holder = Holder(Trust(tmp_path))
    holder.publish(0)
    who = ("--role", "owner", "--accounts", "acct-000001")
    valid = {"key 0": holder.keys("create", "--name", "acme", *who), "token 0": holder.token(0)}
    with running(
        GATEWAY_AUTH="api_key,jwt",
        GATEWAY_AUTH_KEYS=str(tmp_path / "keys.json"),
        GATEWAY_AUTH_JWKS=str(tmp_path / "jwks.json"),
        GATEWAY_AUTH_ISSUER=ISSUER,
        GATEWAY_AUTH_AUDIENCE=AUDIENCE,
        GATEWAY_MASKING_KEY_FILE=str(tmp_path / "masking.key"),
        GATEWAY_BUDGET_PER_S="0",
        GATEWAY_FAILED_LOGINS_PER_S="0",  # all come from one address, and many are to be refused
    ) as gateway:
        limits = httpx.Limits(max_connections=ASKERS + 1)
        async with httpx.AsyncClient(
            base_url=gateway.url, timeout=20, limits=limits, trust_env=False
        ) as client:
            traffic = Traffic(client, valid)
            async with traffic.flowing():
                await traffic.served(valid)
                for number in range(1, ROTATIONS + 1):
                    await rotate(traffic, holder, number)
    assert {kind.rpartition(" ")[2] for kind in traffic.seen} == {"answered"}, traffic.seen
    assert len(traffic.seen) == 2 * (ROTATIONS + 1)


async def rotate(traffic: Traffic, holder: Holder, number: int) -> None:
    """New ones beside the old, both used; then the old ones are given up, and ended."""
    old = dict(traffic.valid)
    previous = old[f"key {number - 1}"].split("_")[1]
    new_key = await asyncio.to_thread(holder.keys, "rotate", previous)
    holder.publish(number - 1, number)
    traffic.valid |= {f"key {number}": new_key, f"token {number}": holder.token(number)}
    await traffic.served(traffic.valid)
    for name in old:
        del traffic.valid[name]
    # What was sent with the old ones is to be answered first.
    await traffic.served(traffic.valid)
    await asyncio.to_thread(holder.keys, "revoke", previous)
    holder.publish(number)
    for credential in old.values():
        await traffic.refused(credential)
