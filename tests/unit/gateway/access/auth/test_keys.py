"""The command that makes, lists, rotates and revokes keys."""

from __future__ import annotations

import json

import pytest

from tests.identity_provider import Trust, secret_of, shows
from tests.unit.gateway.access.auth.opened import keys, new_key


def test_the_key_file_holds_no_secret_and_is_its_owners_alone(
    trust: Trust, capsys: pytest.CaptureFixture[str]
) -> None:
    made = [new_key(trust, capsys, "--role", "operator", name=name) for name in ("a", "b", "c")]
    assert keys(trust, "list", "--json") == 0
    listed = capsys.readouterr().out
    assert [row["state"] for row in json.loads(listed)] == ["valid"] * 3
    for key in made:
        secret = secret_of(key)
        assert key.removesuffix(secret) in listed
        for text in (listed, *(path.read_text() for path in trust.folder.iterdir())):
            assert not shows(text, secret)
    assert (trust.folder / "keys.json").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "words",
    [
        ["create", "--name", "x", "--role", "owner"],
        ["create", "--name", "x", "--role", "operator", "--accounts", "alice"],
        ["create", "--name", "x", "--role", "operator", "--masked"],
        ["create", "--name", "", "--role", "operator"],
        ["create", "--name", " x", "--role", "operator"],
        ["create", "--name", "x\u3000", "--role", "operator"],
        ["create", "--name", "x", "--role", "owner", "--accounts", "x" * 65],
        ["create", "--name", "x", "--role", "operator", "--expires", "2020-01-01T00:00:00Z"],
        *(
            ["create", "--name", "x", "--role", "operator", "--expires", said]
            for said in ("soon", "", "0d", "3000000d", "99999999999d", "0001-01-01T00:00:00+14:00")
        ),
        *(
            ["rotate", "acme", f"--overlap-hours={said}"]
            for said in ("-1", "nan", "inf", "-inf", "1e8", "1e300")
        ),
        ["rotate", "nobody"],
        ["revoke", "nobody"],
    ],
)
def test_what_makes_no_sense_changes_nothing(
    trust: Trust, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    new_key(trust, capsys, "--role", "operator", name="acme")
    before = (trust.folder / "keys.json").read_bytes()
    assert keys(trust, *words) == 2
    assert capsys.readouterr().err.startswith("keys: ")
    assert (trust.folder / "keys.json").read_bytes() == before


@pytest.mark.parametrize(
    "name", ["acme", "Acme", "ACME Ltd", "acme  ltd", "ａｃｍｅ", "ﬁsh", "FISH"]
)
def test_two_valid_keys_of_one_name_are_a_rotation_or_none(
    trust: Trust, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    """Budgets, masks and logs go by the name, so a second holder of it would be taken for the first."""
    for taken in ("acme", "acme ltd", "fish"):
        new_key(trust, capsys, "--role", "partner", "--group", "friends", name=taken)
    before = (trust.folder / "keys.json").read_bytes()
    for words in (["--role", "partner", "--group", "friends"], ["--role", "operator"]):
        assert keys(trust, "create", "--name", name, *words) == 2
        assert "has a valid key, pak_" in capsys.readouterr().err
    assert (trust.folder / "keys.json").read_bytes() == before
    assert keys(trust, "rotate", "acme") == 0


def test_the_name_of_an_ended_key_is_its_holders_still(
    trust: Trust, capsys: pytest.CaptureFixture[str]
) -> None:
    of_acme = ("--role", "partner", "--group", "friends")
    new_key(trust, capsys, *of_acme)
    assert keys(trust, "revoke", "acme") == 0
    assert keys(trust, "create", "--name", "acme", "--role", "operator") == 2
    assert keys(trust, "create", "--name", "Acme", *of_acme) == 2
    assert "partner's: take another name" in capsys.readouterr().err
    assert keys(trust, "create", "--name", "acme", *of_acme) == 0


def test_keys_that_follow_each_other_are_told_apart(
    trust: Trust, capsys: pytest.CaptureFixture[str]
) -> None:
    (trust.folder / "ids").write_text("bob\n\ncarol, the third\n")
    file = str(trust.folder / "ids")
    words = ("--role", "partner", "--accounts", "alice", "--accounts-file", file)
    first = new_key(trust, capsys, *words, "--sees-counterparties", "--expires", "30d")
    assert keys(trust, "rotate", "acme") == 0
    assert keys(trust, "revoke", "acme") == 2
    assert "2 valid keys" in capsys.readouterr().err
    shown = first.removesuffix(secret_of(first))
    assert keys(trust, "revoke", shown) == 0
    assert keys(trust, "revoke", shown) == 2
    capsys.readouterr()
    assert keys(trust, "list") == 0
    heading, *rows = capsys.readouterr().out.splitlines()
    assert heading.split()[:4] == ["key", "name", "role", "accounts"]
    assert sorted(row.split()[7] for row in rows) == ["revoked", "valid"]
    assert all(row.split()[3] == "3" for row in rows)
