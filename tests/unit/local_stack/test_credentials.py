"""The demo credentials of a local stack: they work, last as long as they say, and are nobody else's to read."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway import settings as gateway_settings
from gateway.access.auth.authenticator import Authenticator
from gateway.access.auth.opening import masking_of, open_door
from gateway.access.caller import EVERYONE, Caller, Role
from gateway.errors import UnauthenticatedError
from gateway.process.clock import system_epoch_ms
from local_stack import credentials
from local_stack.settings import StackSettings
from tests.identity_provider import bearer

pytestmark = pytest.mark.anyio


def issued(folder: Path, *, required: bool) -> StackSettings:
    stack = replace(StackSettings(), state=folder)
    credentials.issue(stack, datetime.now(UTC), required=required)
    return stack


def door_of(stack: StackSettings, *, required: bool) -> Authenticator:
    environment = credentials.gateway_environment(stack, required=required)
    settings = gateway_settings.read(environment)
    assert masking_of(settings).key
    return open_door(settings, system_epoch_ms, time.monotonic)


async def callers(stack: StackSettings, door: Authenticator) -> list[Caller]:
    sent = [header["Authorization"] for header in credentials.demo(stack).values()]
    return [await door.authenticate(bearer(each.removeprefix("Bearer "))) for each in sent]


async def test_an_owner_a_partner_and_an_operator_are_let_in(tmp_path: Path) -> None:
    stack = issued(tmp_path, required=False)
    owner, partner, operator = await callers(stack, door_of(stack, required=False))
    assert (owner.role, owner.accounts) == (Role.OWNER, frozenset(credentials.OWNED))
    assert (partner.role, partner.sees_counterparties) == (Role.PARTNER, False)
    assert partner.accounts == frozenset(credentials.GROUP_ACCOUNTS)
    assert operator.role is Role.OPERATOR
    assert door_of(stack, required=False).authenticate_cached([]) is EVERYONE


async def test_the_next_up_ends_the_last_ones_keys_and_keeps_everything_else(
    tmp_path: Path,
) -> None:
    stack = issued(tmp_path, required=True)
    before = credentials.demo(stack)
    masks = credentials.files(stack).masking_key.read_bytes()
    issued(tmp_path, required=True)
    assert credentials.files(stack).masking_key.read_bytes() == masks
    door = door_of(stack, required=True)
    for whose, header in before.items():
        sent = bearer(header["Authorization"].removeprefix("Bearer "))
        if whose.startswith("owner"):
            assert (await door.authenticate(sent)).role is Role.OWNER
        else:
            with pytest.raises(UnauthenticatedError):
                await door.authenticate(sent)


async def test_our_own_commands_send_a_credential_only_where_one_is_needed(tmp_path: Path) -> None:
    assert credentials.tool_headers(issued(tmp_path, required=False)) == {}
    stack = issued(tmp_path, required=True)
    header = credentials.tool_headers(stack)["Authorization"].removeprefix("Bearer ")
    door = door_of(stack, required=True)
    assert door.authenticate_cached([]) is None
    assert (await door.authenticate(bearer(header))).role is Role.OPERATOR


def test_only_their_owner_can_read_them(tmp_path: Path) -> None:
    folder = credentials.files(issued(tmp_path, required=True)).folder
    assert folder.stat().st_mode & 0o777 == 0o700
    assert [path.stat().st_mode & 0o777 for path in folder.iterdir()] == [0o600] * 10
    assert credentials.demo(replace(StackSettings(), state=tmp_path / "elsewhere")) == {}
