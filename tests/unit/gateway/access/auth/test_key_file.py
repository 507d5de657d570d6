"""What a change of the keys' file leaves as it was: its place, its owner, and who may read it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gateway.access.auth import key_file
from gateway.access.auth.keys import main

CREATE = ["create", "--role", "operator", "--name"]
root_only = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")


def command(path: Path, *words: str) -> None:
    assert main(["--store", str(path), *words]) == 0


def test_a_new_file_is_its_owners_alone(tmp_path: Path) -> None:
    command(tmp_path / "folder" / "keys.json", *CREATE, "acme")
    assert (tmp_path / "folder" / "keys.json").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "folder").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("words", [[*CREATE, "other"], ["rotate", "acme"], ["revoke", "acme"]])
def test_a_change_keeps_mode_and_links(tmp_path: Path, words: list[str]) -> None:
    real, link = tmp_path / "data" / "keys-1.json", tmp_path / "keys.json"
    command(real, *CREATE, "acme")
    real.chmod(0o640)
    (tmp_path / "current").symlink_to("data")
    link.symlink_to("current/keys-1.json")
    before = real.read_bytes()
    command(link, *words)
    assert link.readlink() == Path("current/keys-1.json")
    assert (real.is_symlink(), real.stat().st_mode & 0o777) == (False, 0o640)
    assert real.read_bytes() != before
    assert link.read_bytes() == real.read_bytes()


@pytest.mark.parametrize("words", [[*CREATE, "other"], ["list"], ["rotate", "acme"]])
@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"{", b"null", b"[]", b"7", b'"keys"', b"\xff\xfe", b"[" * 100_000),
        *(b'{"version": 1}', b'{"version": 1, "keys": null}', b'{"version": 1, "keys": [7]}'),
        *(b'{"version": 1, "keys": [{"id": "a"}]}', b'{"version": 2, "keys": []}'),
    ],
)
def test_a_file_of_something_else_is_named_and_left_as_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes, words: list[str]
) -> None:
    path = tmp_path / "keys.json"
    path.write_bytes(content)
    assert main(["--store", str(path), *words]) == 2
    assert capsys.readouterr().err == f"keys: {path} is no keys' file, or one that broke\n"
    assert path.read_bytes() == content


def test_links_that_lead_to_themselves_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "keys.json").symlink_to("keys.json")
    assert main(["--store", str(tmp_path / "keys.json"), *CREATE, "acme"]) == 2
    assert "is a link that leads to itself" in capsys.readouterr().err


def test_a_link_to_what_is_not_there_yet_stays_one(tmp_path: Path) -> None:
    link = tmp_path / "keys.json"
    link.symlink_to("volume/keys.json")
    command(link, *CREATE, "acme")
    assert link.is_symlink()
    assert len(key_file.read(tmp_path / "volume" / "keys.json")) == 1


@root_only
def test_root_leaves_the_file_its_owners_and_its_groups(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    command(path, *CREATE, "acme")
    os.chown(tmp_path, 1_234, 1_235)
    os.chown(path, 1_234, 1_236)
    path.chmod(0o440)
    command(path, "rotate", "acme")
    status = path.stat()
    assert (status.st_uid, status.st_gid, status.st_mode & 0o777) == (1_234, 1_236, 0o440)
    assert {each.stat().st_uid for each in tmp_path.iterdir()} == {1_234}


@root_only
def test_a_file_that_cannot_be_given_back_to_its_owner_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "keys.json"
    key_file.write_private(path, b"before")
    os.chown(path, 1_234, 1_235)

    def refuse(*_: int) -> None:
        raise PermissionError  # as to anybody but root

    monkeypatch.setattr(os, "fchown", refuse)
    with pytest.raises(PermissionError, match=r"is of user 1234 and group 1235: change it as"):
        key_file.write_private(path, b"after")
    assert path.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path]
