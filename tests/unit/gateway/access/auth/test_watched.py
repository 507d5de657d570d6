"""A watched file: read when it changes and only then, and what is said and done when it breaks."""

from __future__ import annotations

import asyncio
import json
import math
import os
import threading
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from gateway.access.auth import watched
from gateway.access.auth.watched import UnreadableError, Watch, WatchedFile
from gateway.process import logs
from tests.identity_provider import Clock


class Parsing:
    """JSON, how often it was parsed, and in which threads."""

    def __init__(self) -> None:
        self.times = 0
        self.threads: set[int] = set()

    def __call__(self, content: bytes) -> Any:
        self.times += 1
        self.threads.add(threading.get_ident())
        return json.loads(content)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "watched.json"
    path.write_text('{"is": "read"}')
    path.chmod(0o600)
    return path


@pytest.fixture
def log() -> StringIO:
    log = StringIO()
    logs.configure("info", log)
    return log


def change(path: Path, text: str) -> None:
    fresh = path.with_suffix(".new")
    fresh.write_text(text)
    fresh.chmod(0o600)
    fresh.replace(path)


def look(file: WatchedFile[Any]) -> bool:
    return file.take(file.find())


def said(log: StringIO) -> list[tuple[str, str | None]]:
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    return [(each["event"], each.get("cause")) for each in lines]


def files(log: StringIO) -> list[str]:
    """Which file each line is about."""
    return [json.loads(line)["file"] for line in log.getvalue().splitlines()]


def test_a_file_is_read_once_and_again_when_it_changed(path: Path) -> None:
    parse = Parsing()
    file: WatchedFile[Any] = WatchedFile(path, parse)
    assert file.content == {"is": "read"}
    assert [look(file) for _ in range(3)] == [False] * 3
    assert parse.times == 1
    change(path, "[1]")
    assert look(file)
    assert file.content == [1]
    assert not look(file)
    assert parse.times == 2


def test_a_change_is_seen_by_time_by_size_by_identity_and_by_mode(path: Path) -> None:
    file: WatchedFile[Any] = WatchedFile(path, Parsing())
    seen = path.stat()
    os.utime(path, ns=(seen.st_atime_ns, seen.st_mtime_ns + 1))
    assert look(file)
    seen = path.stat()
    path.write_text('{"is": "longer now"}')
    os.utime(path, ns=(seen.st_atime_ns, seen.st_mtime_ns))
    assert look(file)
    change(path, '{"is": "LONGER NOW"}')
    os.utime(path, ns=(seen.st_atime_ns, seen.st_mtime_ns))
    assert look(file)
    assert file.content == {"is": "LONGER NOW"}
    path.chmod(0o640)
    assert look(file)


def test_a_file_that_breaks_or_goes_keeps_its_last_content_and_is_told_of_once(
    path: Path, log: StringIO
) -> None:
    file: WatchedFile[Any] = WatchedFile(path, Parsing(), "auth_keys")
    change(path, "secret, not JSON")
    assert [look(file), look(file), file.is_stale()] == [False, False, True]
    path.unlink()
    assert [look(file), look(file), file.is_stale()] == [False, False, True]
    assert file.content == {"is": "read"}
    change(path, '"back"')
    assert [look(file), look(file), file.is_stale()] == [True, False, False]
    assert file.content == "back"
    assert said(log) == [
        ("auth_file_unreadable", f"{path} does not hold what it should"),
        ("auth_file_unreadable", f"{path} cannot be read (No such file or directory)"),
        ("auth_file_readable", None),
    ]
    assert files(log) == ["auth_keys"] * 3


def test_when_a_file_was_changed_is_told_as_long_as_it_is_there(path: Path) -> None:
    os.utime(path, ns=(0, 1_763_800_000_000_000_000))
    file: WatchedFile[Any] = WatchedFile(path, Parsing())
    assert file.changed_s() == 1_763_800_000
    change(path, "{")
    os.utime(path, ns=(0, 1_763_800_001_000_000_000))
    assert not look(file)
    assert file.changed_s() == 1_763_800_001, "though it cannot be used"
    path.chmod(0o666)
    os.utime(path, ns=(0, 1_763_800_002_000_000_000))
    assert not look(file)
    assert file.changed_s() == 1_763_800_002
    path.unlink()
    assert not look(file)
    assert math.isnan(file.changed_s())


def test_what_could_not_be_read_is_tried_again_though_the_file_stays_as_it_is(path: Path) -> None:
    failing = [False]

    def parse(content: bytes) -> str:
        if failing[0]:
            raise OSError(5, "Input/output error")
        return content.decode()

    file = WatchedFile(path, parse)
    failing[0] = True
    change(path, "newer")
    assert [look(file), look(file)] == [False, False]
    failing[0] = False
    assert look(file)
    assert (file.content, file.is_stale()) == ("newer", False)


def test_a_file_that_is_not_there_or_is_none_is_refused_at_first(path: Path) -> None:
    with pytest.raises(UnreadableError, match=r"absent\.json cannot be read \(No such file"):
        WatchedFile(path.with_name("absent.json"), Parsing())
    path.write_text("{")
    with pytest.raises(UnreadableError, match=r"watched\.json does not hold what it should"):
        WatchedFile(path, Parsing())
    path.chmod(0o622)
    with pytest.raises(UnreadableError, match=r"by everybody \(mode 0622\): chmod o-w"):
        WatchedFile(path, Parsing())


def test_what_everybody_may_write_is_not_believed_until_its_mode_is_right(
    path: Path, log: StringIO
) -> None:
    file: WatchedFile[Any] = WatchedFile(path, Parsing())
    change(path, '"anybody\'s"')
    path.chmod(0o666)
    assert not look(file)
    assert (file.content, file.is_stale()) == ({"is": "read"}, True)
    path.chmod(0o600)
    assert look(file)
    assert file.content == "anybody's"
    assert said(log)[0] == (
        "auth_file_unreadable",
        f"{path} may be written by everybody (mode 0666): chmod o-w",
    )


@pytest.mark.parametrize(
    ("mode", "secret", "told"),
    [
        (0o600, True, None),
        (0o440, True, None),
        (0o640, True, None),
        (0o644, False, None),
        (0o644, True, "may be read by everybody (mode 0644): chmod o-rwx"),
        (0o660, True, "may be written by its group (mode 0660): chmod g-w"),
        (0o664, False, "may be written by its group (mode 0664): chmod g-w"),
    ],
)
def test_a_mode_that_lets_too_many_in_is_warned_of(
    path: Path, log: StringIO, mode: int, secret: bool, told: str | None
) -> None:
    path.chmod(mode)
    WatchedFile(path, Parsing(), "a", secret).warn()
    expected = [] if told is None else [("auth_file_mode", told)]
    assert said(log) == expected
    path.chmod(0o400)
    file: WatchedFile[Any] = WatchedFile(path, Parsing(), "a", secret)
    path.chmod(mode)
    assert look(file)
    assert not look(file)
    assert said(log) == 2 * expected
    assert files(log) == ["a"] * 2 * len(expected)


def test_a_file_may_be_a_link_that_is_turned_to_another(tmp_path: Path) -> None:
    for number in "12":
        (tmp_path / number).write_text(number)
    link = tmp_path / "link"
    link.symlink_to("1")
    file: WatchedFile[Any] = WatchedFile(link, Parsing())
    turned = tmp_path / "turned"
    turned.symlink_to("2")
    turned.replace(link)
    assert look(file)
    assert file.content == 2


@pytest.mark.anyio
async def test_files_are_read_beside_the_loop_once_for_all_who_wait(path: Path) -> None:
    parse, clock = Parsing(), Clock()
    file: WatchedFile[Any] = WatchedFile(path, parse)
    parse.threads.clear()
    watch = Watch([file], clock.monotonic)
    assert watch.is_due
    change(path, "1")
    await asyncio.gather(*(watch.look_if_due() for _ in range(50)))
    assert (parse.times, watch.version, watch.is_due) == (2, 1, False)
    change(path, "2")
    await watch.look_if_due()
    assert file.content == 1
    await asyncio.gather(*(watch.look() for _ in range(50)))
    assert (file.content, parse.times, watch.version) == (2, 3, 2)
    assert threading.get_ident() not in parse.threads
    clock.now_s += 1
    assert watch.is_due
    assert not Watch([], clock.monotonic).is_due


@pytest.mark.anyio
async def test_who_asks_while_others_look_has_no_look_of_his_own(path: Path) -> None:
    looks = 0

    class Counted(WatchedFile[Any]):
        def find(self) -> Any:
            nonlocal looks
            looks += 1
            return WatchedFile.find(self)

    watch = Watch([Counted(path, Parsing())], Clock().monotonic)
    for number in range(1, 4):
        await asyncio.gather(*(watch.look() for _ in range(50)))
        assert looks == 2 * number, "the first one's, and one for all who came meanwhile"


@pytest.mark.anyio
async def test_nobody_is_judged_by_files_of_before_while_they_are_looked_at(path: Path) -> None:
    """After an idle hour the last look is that old, whoever asks first."""
    file: WatchedFile[Any] = WatchedFile(path, Parsing())
    watch = Watch([file], Clock().monotonic)
    change(path, '"newer"')
    seen = []

    async def ask() -> None:
        if watch.is_due:
            await watch.look_if_due()
        seen.append(file.content)

    await asyncio.gather(ask(), ask(), ask())
    assert seen == ["newer"] * 3


@pytest.mark.anyio
async def test_a_folder_that_does_not_answer_is_not_waited_for(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watched, "LOOK_WITHIN_S", 0.0)
    answers = threading.Event()
    reading: list[bytes] = []

    def parse(content: bytes) -> Any:
        if reading:
            answers.wait()
        reading.append(content)
        return json.loads(content)

    file: WatchedFile[Any] = WatchedFile(path, parse)
    watch = Watch([file], Clock().monotonic)
    change(path, '"newer"')
    try:
        for limit_s in (0.0, 3_600, 3_600):
            # Once it did not answer in time, it is not waited for at all.
            monkeypatch.setattr(watched, "LOOK_WITHIN_S", limit_s)
            await watch.look()
            assert (file.content, file.is_stale(), watch.is_due) == ({"is": "read"}, True, False)
    finally:
        answers.set()
    while file.is_stale():
        await watch.look()
    assert file.content == "newer"
    assert reading[1:] == [b'"newer"'] * (len(reading) - 1)
