"""When a key was last used is seen in the list of keys, and costs no request anything."""

from __future__ import annotations

import json
from io import StringIO

import pytest

from gateway.access.auth import key_uses
from gateway.errors import UnauthenticatedError
from gateway.process import logs
from tests.identity_provider import NOW_S, Trust, bearer
from tests.unit.gateway.access.auth.opened import keys, new_key, opened

pytestmark = pytest.mark.anyio
OPERATOR = ("--role", "operator", "--expires", "2099-01-01T00:00:00Z")


def listed(trust: Trust, capsys: pytest.CaptureFixture[str]) -> list[str]:
    capsys.readouterr()
    assert keys(trust, "list", "--json") == 0
    return [each["last_used"] for each in json.loads(capsys.readouterr().out)]


async def test_the_list_says_when_a_key_was_last_used(
    trust: Trust, capsys: pytest.CaptureFixture[str]
) -> None:
    key = new_key(trust, capsys, *OPERATOR)
    new_key(trust, capsys, *OPERATOR, name="other")
    door = opened(trust)
    await door.authenticate(bearer(key))
    assert listed(trust, capsys) == ["never", "never"], "nothing is written for a request"
    await door.close()
    assert sorted(listed(trust, capsys)) == ["2025-11-22T08:26:40Z", "never"]
    assert trust.clock.now_s == NOW_S


async def test_of_several_processes_the_last_use_counts(
    trust: Trust, capsys: pytest.CaptureFixture[str]
) -> None:
    key = new_key(trust, capsys, *OPERATOR)
    earlier, later = opened(trust), opened(trust)
    await earlier.authenticate(bearer(key))
    trust.clock.now_s += 3_600
    await later.authenticate(bearer(key))
    await later.close()
    await earlier.close()
    assert listed(trust, capsys) == ["2025-11-22T09:26:40Z"]


async def test_what_is_no_good_is_no_use_and_of_what_is_gone_nothing_is_kept(
    trust: Trust, capsys: pytest.CaptureFixture[str]
) -> None:
    key = new_key(trust, capsys, *OPERATOR)
    path = trust.folder / "keys.json"
    door = opened(trust)
    with pytest.raises(UnauthenticatedError):
        await door.authenticate(bearer(key + "x"))
    await door.close()
    assert key_uses.read(path) == {}
    key_uses.write(path, {"gone": 1.0, key.split("_")[1]: 2.0})
    assert key_uses.read(path) == {key.split("_")[1]: 2.0}
    used = path.with_name("keys.json.used")
    assert used.stat().st_mode & 0o777 == 0o600
    for broken in ("", "[]", "7", "[" * 99_999, '{"a": "b"}', '{"a": 1%s}' % ("0" * 400), "\xff"):
        used.write_bytes(broken.encode("latin-1"))
        assert key_uses.read(path) == {}


async def test_where_it_cannot_be_written_keys_are_good_all_the_same_and_it_is_told_once(
    trust: Trust, capsys: pytest.CaptureFixture[str]
) -> None:
    key = new_key(trust, capsys, *OPERATOR)
    (trust.folder / "keys.json.used").mkdir()
    told = StringIO()
    logs.configure("info", told)
    door = opened(trust)
    for _ in range(2):
        await door.authenticate(bearer(key))
        await door.close()
    assert told.getvalue().count("key_uses_not_written") == 1


@pytest.mark.parametrize(
    "broken",
    [
        None,
        b"",
        b"[]",
        b'"keys"',
        b'{"version": 1}',
        b'{"version": 1, "keys": 7}',
        b'{"version": 1, "keys": [{}]}',
        b"[" * 99_999,
    ],
)
async def test_while_the_keys_cannot_be_read_uses_are_kept_for_later_and_the_door_closes(
    broken: bytes | None, trust: Trust, capsys: pytest.CaptureFixture[str]
) -> None:
    key, path = new_key(trust, capsys, *OPERATOR), trust.folder / "keys.json"
    good, id_ = path.read_bytes(), key.split("_")[1]
    key_uses.write(path, {id_: 1.0})
    door = opened(trust)
    await door.authenticate(bearer(key))
    path.unlink()
    if broken is not None:
        path.write_bytes(broken)
    await door.close()
    assert key_uses.read(path) == {id_: 1.0}
    path.write_bytes(good)
    await door.close()
    assert key_uses.read(path) == {id_: NOW_S}
