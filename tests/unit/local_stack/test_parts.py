"""Rendered configuration, and the environment that parts get."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from local_stack import part, parts
from local_stack.settings import StackSettings


def test_every_template_is_rendered_with_nothing_left_to_fill_in(tmp_path: Path) -> None:
    settings = replace(StackSettings(), state=tmp_path)
    parts.render(settings)
    rendered = [file for file in settings.rendered.rglob("*") if file.is_file()]
    assert len(rendered) == len([file for file in parts.CONF.iterdir() if file.is_file()])
    assert not [file for file in rendered if "${" in file.read_text()]
    assert "rest:" in (settings.rendered / "flink/config.yaml").read_text()


def test_all_parts_are_told_to_listen_on_loopback(tmp_path: Path) -> None:
    settings = replace(StackSettings(), state=tmp_path)
    parts.render(settings)
    for file in settings.rendered.rglob("*"):
        if file.is_file():
            assert "0.0.0.0" not in file.read_text()


def test_variables_that_change_java_or_python_behind_its_back_are_kept_from_a_part() -> None:
    child = part.child_environment({"JAVA_TOOL_OPTIONS": "-Xmx1g", "HOME": "/root"}, {"A": "1"})
    assert "JAVA_TOOL_OPTIONS" not in child
    assert child["HOME"] == "/root"
    assert child["A"] == "1"
