"""What is written down about a running stack, and how it is recognised again."""

from __future__ import annotations

import os
from pathlib import Path

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
    assert run_file.live(tmp_path / "run/stack.json") == run


def test_a_run_whose_number_another_process_has_now_is_not_alive(tmp_path: Path) -> None:
    stranger = ProcessId(os.getpid(), me().created_s - 100)
    run_file.write(tmp_path / "stack.json", StackRun(stranger))
    assert run_file.read(tmp_path / "stack.json") is not None
    assert run_file.live(tmp_path / "stack.json") is None


def test_no_file_and_a_broken_file_are_no_run(tmp_path: Path) -> None:
    assert run_file.read(tmp_path / "none.json") is None
    for text in ("", "{", "[]", '{"parts": {}}', '{"supervisor": {"pid": 1}, "parts": {}}'):
        (tmp_path / "broken.json").write_text(text)
        assert run_file.read(tmp_path / "broken.json") is None
