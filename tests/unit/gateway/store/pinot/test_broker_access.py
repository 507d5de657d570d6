"""The gateway's credentials for the broker: read anew as the files change, shown to nobody."""

from __future__ import annotations

import os
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from gateway.errors import StoreUnavailableError
from gateway.settings import read
from gateway.settings.kinds import SettingsError
from gateway.store.pinot.broker_access import BrokerAccess
from gateway.store.pinot.broker_session import AiohttpSession
from gateway.wiring.stores import make_store
from local_stack.authority import Authority

pytestmark = pytest.mark.anyio
FIRST = "Basic Z2F0ZXdheTpmaXJzdA=="  # gateway:first


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    authority = Authority(tmp_path)
    now = datetime.now(UTC)
    authority.make(now)
    authority.issue("broker", "127.0.0.1", now)
    authority.issue("elsewhere", "127.0.0.2", now)
    authority.issue("late", "127.0.0.1", now, timedelta(minutes=-1))
    (tmp_path / "password").write_text("first\n")
    return tmp_path


@asynccontextmanager
async def _broker(folder: Path, certificate: str) -> AsyncIterator[str]:
    """A broker that lets the gateway in with its first password."""

    async def answer(request: web.Request) -> web.Response:
        known = request.headers.get("Authorization") == FIRST
        return web.json_response({"rows": []}, status=200 if known else 403)

    application = web.Application()
    application.router.add_post("/query/sql", answer)
    runner = web.AppRunner(application)
    await runner.setup()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / f"{certificate}.pem", folder / f"{certificate}.key")
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
    await site.start()
    server: Any = site._server
    try:
        yield f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/query/sql"
    finally:
        await runner.cleanup()


def _access(folder: Path) -> BrokerAccess:
    return BrokerAccess("gateway", str(folder / "password"), tls_ca_file=str(folder / "ca.pem"))


async def _ask(url: str, session: AiohttpSession) -> int:
    return (await session.post(url, json={}, headers={}, timeout_s=10)).status_code


async def test_a_rotated_password_is_taken_and_a_wrong_one_told(folder: Path) -> None:
    session = AiohttpSession(2, _access(folder))
    async with _broker(folder, "broker") as url:
        assert await _ask(url, session) == 200
        (folder / "password").write_text("wr0ng!")
        with pytest.raises(StoreUnavailableError, match="refuses user gateway") as refusal:
            await _ask(url, session)
        assert "wr0ng" not in str(refusal.value)
        (folder / "password").write_text("first")
        assert await _ask(url, session) == 200
        await session.aclose()


@pytest.mark.parametrize(
    ("certificate", "told"), [("late", "expired"), ("elsewhere", "IP address mismatch")]
)
async def test_a_certificate_that_is_late_or_of_another_host_is_told(
    certificate: str, told: str, folder: Path
) -> None:
    session = AiohttpSession(2, _access(folder))
    async with _broker(folder, certificate) as url:
        with pytest.raises(StoreUnavailableError, match=f"certificate is refused: .*{told}"):
            await _ask(url, session)
    await session.aclose()


def test_a_password_is_in_no_repr(folder: Path) -> None:
    access = _access(folder)
    assert access.headers() == {"Authorization": FIRST}
    assert FIRST.partition(" ")[2] not in repr(access)


def test_a_changed_authority_makes_a_new_context(folder: Path) -> None:
    access = _access(folder)
    before = access.tls()
    assert access.tls() is before
    os.utime(folder / "ca.pem", ns=(1, 1))
    assert access.tls() is not before


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"PINOT_USERNAME": "gateway"}, "GATEWAY_PINOT_USERNAME and GATEWAY_PINOT_PASSWORD_FILE"),
        ({"PINOT_TLS_CERT_FILE": "c"}, "GATEWAY_PINOT_TLS_CERT_FILE and"),
        ({"PINOT_BROKER_URL": "https://a:b@broker"}, "GATEWAY_PINOT_BROKER_URL is"),
        ({"PINOT_BROKER_URL": "broker:8099"}, "GATEWAY_PINOT_BROKER_URL is"),
    ],
)
def test_settings_that_cannot_work_are_refused(given: dict[str, str], told: str) -> None:
    with pytest.raises(SettingsError, match=told):
        read({f"GATEWAY_{name}": value for name, value in given.items()})


def test_a_password_file_that_is_not_there_stops_the_start(tmp_path: Path) -> None:
    given = {"GATEWAY_PINOT_USERNAME": "g", "GATEWAY_PINOT_PASSWORD_FILE": str(tmp_path / "none")}
    with pytest.raises(SettingsError, match="No such file"):
        make_store(read(given))
