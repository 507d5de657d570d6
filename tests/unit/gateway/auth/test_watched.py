"""A watched file: read when it changes and only then, and what is said and done when it breaks."""

from __future__ import annotations

import json
import os
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from gateway import logs
from gateway.auth.watched import UnreadableError, WatchedFile


class Parsing:
    """JSON, and how often it was parsed."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self, content: bytes) -> Any:
        self.times += 1
        return json.loads(content)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "watched.json"
    path.write_text('{"is": "read"}')
    return path


def change(path: Path, text: str) -> None:
    fresh = path.with_suffix(".new")
    fresh.write_text(text)
    fresh.replace(path)


def test_a_file_is_read_once_and_again_when_it_changed(path: Path) -> None:
    parse = Parsing()
    file: WatchedFile[Any] = WatchedFile(path, parse)
    assert file.content == {"is": "read"}
    assert [file.look() for _ in range(3)] == [False] * 3
    assert parse.times == 1
    change(path, "[1]")
    assert file.look()
    assert file.content == [1]
    assert not file.look()
    assert parse.times == 2


def test_a_change_is_seen_by_time_by_size_and_by_identity(path: Path) -> None:
    file: WatchedFile[Any] = WatchedFile(path, Parsing())
    seen = path.stat()
    os.utime(path, ns=(seen.st_atime_ns, seen.st_mtime_ns + 1))
    assert file.look()
    seen = path.stat()
    path.write_text('{"is": "longer now"}')
    os.utime(path, ns=(seen.st_atime_ns, seen.st_mtime_ns))
    assert file.look()
    change(path, '{"is": "LONGER NOW"}')
    os.utime(path, ns=(seen.st_atime_ns, seen.st_mtime_ns))
    assert file.look()
    assert file.content == {"is": "LONGER NOW"}


@pytest.mark.parametrize("without", [None, {}])
def test_a_file_that_breaks_or_goes_is_told_of_once_without_its_content(
    path: Path, without: object
) -> None:
    log = StringIO()
    logs.configure("info", log)
    file: WatchedFile[Any] = WatchedFile(path, Parsing(), without)
    change(path, "secret, not JSON")
    assert [file.look(), file.look()] == [True, False]
    assert file.content == ({"is": "read"} if without is None else {})
    path.unlink()
    assert [file.look(), file.look()] == [True, False]
    said = [json.loads(line) for line in log.getvalue().splitlines()]
    assert [(each["event"], each["cause"]) for each in said] == [
        ("auth_file_unreadable", f"{path} does not hold what it should"),
        ("auth_file_unreadable", f"{path} cannot be read (No such file or directory)"),
    ]
    change(path, '"back"')
    assert file.look()
    assert file.content == "back"


def test_a_file_that_is_not_there_or_is_none_is_refused_at_first(path: Path) -> None:
    with pytest.raises(UnreadableError, match=r"absent\.json cannot be read \(No such file"):
        WatchedFile(path.with_name("absent.json"), Parsing())
    path.write_text("{")
    with pytest.raises(UnreadableError, match=r"watched\.json does not hold what it should"):
        WatchedFile(path, Parsing())
