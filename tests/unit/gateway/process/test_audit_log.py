"""The audit log: whole lines in a file that may be rotated, and nobody waits for it."""

from __future__ import annotations

import errno
import json
import os
import select
import time
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from gateway.process import audit_log, logs
from gateway.process.audit_log import AuditLog

LIMIT_S = 10.0


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def wait_for(path: Path, number: int) -> list[dict[str, Any]]:
    """The lines, once there are so many."""
    give_up_at = time.monotonic() + LIMIT_S
    while not path.exists() or len(lines(path)) < number:
        assert time.monotonic() < give_up_at
        time.sleep(0.001)
    return lines(path)


def test_each_is_a_line_of_json_in_ascii_and_the_file_is_its_owners(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    audit = AuditLog(str(path))
    audit.write({"operation": "a\u2028b\n", "status": 200})
    audit.write_ready(b'"status":200,"cache":"hit"')
    audit.close()
    first, second = lines(path)
    assert (first["operation"], first["event"]) == ("a\u2028b\n", "audit")
    assert (second["cache"], second["event"]) == ("hit", "audit")
    assert first["time"].endswith("Z")
    assert path.read_bytes().isascii()
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_file_that_is_moved_away_is_made_anew_and_one_that_is_there_is_gone_on_with(
    tmp_path: Path,
) -> None:
    path = tmp_path / "audit.log"
    path.write_text('{"from": "before"}\n')
    audit = AuditLog(str(path))
    audit.write({"number": 1})
    wait_for(path, 2)
    path.rename(tmp_path / "audit.log.1")
    audit.write({"number": 2})
    wait_for(path, 1)
    os.truncate(path, 0)
    audit.write({"number": 3})
    audit.close()
    assert [each["number"] for each in lines(path)] == [3]
    assert [each.get("number") for each in lines(tmp_path / "audit.log.1")] == [None, 1]


def test_what_cannot_be_written_is_counted_and_told_when_it_can_again(tmp_path: Path) -> None:
    folder = tmp_path / "disk"
    folder.mkdir()
    path = folder / "audit.log"
    told = StringIO()
    logs.configure("info", told)
    audit = AuditLog(str(path))
    path.unlink()
    folder.rename(tmp_path / "away")
    for number in range(3):
        audit.write({"number": number})
    give_up_at = time.monotonic() + LIMIT_S
    while audit.lost < 3:
        assert time.monotonic() < give_up_at
        time.sleep(0.001)
    (tmp_path / "away").rename(folder)
    audit.write({"number": 3})
    audit.close()
    gap, line = lines(path)
    assert (gap["event"], gap["lines"], line["number"], audit.lost) == ("lines_lost", 3, 3, 3)
    assert told.getvalue().count("audit_log_failed") == 1


def test_nobody_waits_while_the_disk_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    path = tmp_path / "audit.log"
    audit = AuditLog(str(path))
    monkeypatch.setattr(audit_log, "MOST_WAITING", 10)
    write = audit_log._write

    def held(number: int, content: bytes) -> None:
        os.read(reading, 1)
        write(number, content)

    monkeypatch.setattr(audit_log, "_write", held)
    for number in range(100):
        audit.write({"number": number})
    assert audit.lost >= 100 - 10 - audit_log.MOST_AT_ONCE
    assert audit.lost > 0
    os.write(writing, b"x" * 100)
    audit.write({"number": 100})
    audit.close()
    found = lines(path)
    assert sum(each["event"] == "audit" for each in found) + audit.lost == 101
    assert sum(each["lines"] for each in found if each["event"] == "lines_lost") <= audit.lost
    os.close(reading)
    os.close(writing)


def test_a_disk_that_is_full_in_the_middle_of_a_line_spoils_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, write, room = tmp_path / "audit.log", os.write, [80]

    def until_full(number: int, content: memoryview) -> int:
        taken = min(room[0], len(content))
        if not taken:
            raise OSError(errno.ENOSPC, "No space left on device")
        room[0] -= taken
        return write(number, content[:taken])

    monkeypatch.setattr("os.write", until_full)
    audit = AuditLog(str(path))
    audit._append([b'{"number": 0, "filling": "%s"}\n' % (b"x" * 30)])
    for number in (1, 2):  # the second finds no room at all
        audit._append([b'{"number": %d, "filling": "%s"}\n' % (number, b"x" * 30)])
    room[0] = 10_000
    for number in (3, 4):
        audit._append([b'{"number": %d}\n' % number])
    whole, half, *rest = path.read_bytes().splitlines()
    assert json.loads(whole)["number"] == 0
    assert half.startswith(b'{"number": 1')
    assert not half.endswith(b"}")
    gap, *after = map(json.loads, rest)
    assert (gap["event"], gap["lines"]) == ("lines_lost", 2)
    assert after == [{"number": 3}, {"number": 4}]


def test_a_stream_takes_no_more_at_once_than_a_pipe_takes_whole(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    written: list[bytes] = []
    monkeypatch.setattr(audit_log, "_write", lambda _, content: written.append(content))
    audit = AuditLog("stdout")
    audit._failed = 3
    for number in range(200):
        audit.write({"number": number, "filling": "x" * (number * 7 % 500)})
    audit.close()
    assert max(map(len, written)) <= select.PIPE_BUF
    assert all(each.endswith(b"\n") for each in written)
    found = [json.loads(line) for line in b"".join(written).splitlines()]
    assert [each["number"] for each in found if each["event"] == "audit"] == list(range(200))


@pytest.mark.parametrize("target", ["stdout", "stderr"])
def test_a_stream_is_written_to(target: str, capfd: pytest.CaptureFixture[str]) -> None:
    audit = AuditLog(target)
    audit.write({"status": 200})
    audit.close()
    out, err = capfd.readouterr()
    assert json.loads(out if target == "stdout" else err)["status"] == 200


def test_a_file_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        AuditLog(str(tmp_path / "nowhere" / "audit.log"))
