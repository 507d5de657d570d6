"""What is done before the parts start: pages are a comfort, so their lack stops nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from local_stack import jars, preparation
from local_stack.settings import StackSettings

FAKE_JAVA = """#!/bin/sh
echo 'openjdk version "17.0.9"' >&2
"""
FAILING_MAVEN = """#!/bin/sh
echo 'Could not transfer artifact'
exit 1
"""


def program(path: Path, script: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(script)
    path.chmod(0o755)


@pytest.fixture
def settings(tmp_path: Path) -> StackSettings:
    return StackSettings(state=tmp_path / "state", downloads=tmp_path / "downloads")


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    program(tmp_path / "jdk/bin/java", FAKE_JAVA)
    return {"JAVA_HOME": str(tmp_path / "jdk"), "PATH": str(tmp_path / "bin")}


def test_without_maven_the_embedded_store_comes_up_without_its_pages(
    settings: StackSettings, environment: dict[str, str]
) -> None:
    told: list[str] = []
    assert not preparation.prepare_pages(settings, environment, told.append)
    assert told == ["Not installed, and needed: mvn."]


def test_without_the_network_it_comes_up_too(
    settings: StackSettings, environment: dict[str, str], tmp_path: Path
) -> None:
    program(tmp_path / "bin/mvn", FAILING_MAVEN)
    told: list[str] = []
    assert not preparation.prepare_pages(settings, environment, told.append)
    assert told[-1] == "Maven could not fetch the jars of graphiql.xml:"


def test_files_that_are_there_need_no_maven(
    settings: StackSettings, environment: dict[str, str]
) -> None:
    for folder, files in jars.BROWSER_FILES.items():
        (settings.downloads / folder).mkdir(parents=True)
        for name in files:
            (settings.downloads / folder / name).touch()
    assert preparation.prepare_pages(settings, environment, pytest.fail)
