"""A Java 17 is found, and no other."""

from __future__ import annotations

from pathlib import Path

import pytest

from local_stack import java


def fake_java(home: Path, version: str) -> Path:
    binary = home / "bin/java"
    binary.parent.mkdir(parents=True)
    binary.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\"' >&2\n")
    binary.chmod(0o755)
    return home


def test_java_home_comes_first(tmp_path: Path) -> None:
    home = fake_java(tmp_path / "jdk", "17.0.9")
    on_path = fake_java(tmp_path / "other", "17.0.1")
    environment = {"JAVA_HOME": str(home), "PATH": str(on_path / "bin")}
    assert java.find_java_home(environment, []) == home


@pytest.mark.parametrize("version", ["21.0.2", "11.0.2", "1.8.0_292"])
def test_another_version_is_passed_over(tmp_path: Path, version: str) -> None:
    newer = fake_java(tmp_path / "newer", version)
    right = fake_java(tmp_path / "right", "17.0.15")
    environment = {"JAVA_HOME": str(newer), "PATH": str(right / "bin")}
    assert java.find_java_home(environment, []) == right
    assert java.find_java_home({"JAVA_HOME": str(newer), "PATH": str(tmp_path)}, []) is None


def test_without_any_on_the_path_an_installed_one_is_taken(tmp_path: Path) -> None:
    wheel = fake_java(tmp_path / "wheel", "17.0.9")
    assert java.find_java_home({"PATH": str(tmp_path)}, [tmp_path / "none", wheel]) == wheel
