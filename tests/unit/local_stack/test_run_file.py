"""What is written down about a running stack, and how it is recognised again."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from local_stack import processes, run_file
from local_stack.processes import ProcessId
from local_stack.run_file import PartRun, StackRun


def me() -> ProcessId:
    found = processes.identify(os.getpid())
    assert found is not None
    return found


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    part = PartRun(me(), "127.0.0.1:1", restarts=2, state="restarting")
    run = StackRun(me(), phase="running").with_part("kafka", part)
    run_file.write(tmp_path / "run/stack.json", run)
    assert run_file.read(tmp_path / "run/stack.json") == run


def test_a_run_lives_as_long_as_its_lock_is_held(tmp_path: Path) -> None:
    path = tmp_path / "stack.json"
    run_file.write(path, StackRun(me()))
    assert run_file.live(path) is None  # nobody holds the lock
    lock = run_file.take_lock(path)
    assert lock is not None
    assert run_file.live(path) == StackRun(me())
    assert run_file.take_lock(path) is None
    os.close(lock)
    assert run_file.live(path) is None


def test_a_process_with_the_same_number_but_another_birth_is_another(tmp_path: Path) -> None:
    assert me().alive()
    assert not ProcessId(os.getpid(), me().born - 100).alive()


def test_a_process_that_ends_while_it_is_looked_at_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE
    ) as process:
        looked_at = processes.identify(process.pid)
        assert looked_at is not None
        assert looked_at.alive()

    def ended(_: Path) -> str:
        raise ProcessLookupError

    monkeypatch.setattr(Path, "read_text", ended)
    assert not looked_at.alive()
    assert processes.identify(process.pid) is None


def test_no_file_and_a_broken_file_are_no_run(tmp_path: Path) -> None:
    assert run_file.read(tmp_path / "none.json") is None
    for text in ("", "{", "[]", '{"parts": {}}', '{"supervisor": {"pid": 1}, "parts": {}}'):
        (tmp_path / "broken.json").write_text(text)
        assert run_file.read(tmp_path / "broken.json") is None
