"""Jars are fetched once by Maven; what is missing is said with the command that installs it."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from local_stack import jars

FAKE_MAVEN = """#!/bin/sh
for word; do case $word in -DoutputDirectory=*) mkdir -p "${word#*=}"; touch "${word#*=}/some.jar";; esac; done
echo "$@" >> "$MAVEN_CALLS"
exit "$MAVEN_EXIT"
"""


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    maven = tmp_path / "bin/mvn"
    maven.parent.mkdir()
    maven.write_text(FAKE_MAVEN)
    maven.chmod(0o755)
    path = f"{maven.parent}:/usr/bin:/bin"
    return {"PATH": path, "MAVEN_CALLS": str(tmp_path / "calls"), "MAVEN_EXIT": "0"}


def test_what_was_fetched_is_not_missing_any_more(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    everything = jars.missing(tmp_path)
    assert everything == ["byteman", "flink", "graphiql", "kafka", "pinot", "uplot"]
    told: list[str] = []
    jars.fetch(["kafka", "flink"], tmp_path, Path("/java"), environment, told.append)
    assert told == ["kafka (1 of 2)", "flink (2 of 2)"]
    assert jars.missing(tmp_path) == ["byteman", "graphiql", "pinot", "uplot"]


def test_an_interrupted_fetch_is_done_again(tmp_path: Path, environment: dict[str, str]) -> None:
    (tmp_path / "kafka").mkdir()
    (tmp_path / "kafka/half.jar").touch()
    assert "kafka" in jars.missing(tmp_path)
    jars.fetch(["kafka"], tmp_path, Path("/java"), environment, lambda _: None)
    assert not (tmp_path / "kafka/half.jar").exists()


def test_without_maven_the_message_is_how_to_install_it(tmp_path: Path) -> None:
    with pytest.raises(jars.JarsError, match="apt-get install -y --no-install-recommends maven"):
        jars.fetch(["kafka"], tmp_path, Path("/java"), {"PATH": str(tmp_path)}, lambda _: None)


def test_a_failing_maven_is_quoted(tmp_path: Path, environment: dict[str, str]) -> None:
    broken = {**environment, "MAVEN_EXIT": "1"}
    with pytest.raises(jars.JarsError, match=r"could not fetch the jars of kafka\.xml"):
        jars.fetch(["kafka"], tmp_path, Path("/java"), broken, lambda _: None)
    assert "kafka" in jars.missing(tmp_path)


def test_graphiqls_four_files_are_taken_out_of_their_jars(tmp_path: Path) -> None:
    (tmp_path / "graphiql").mkdir()
    with zipfile.ZipFile(tmp_path / "graphiql/all.jar", "w") as jar:
        for name in ("graphiql.min.js", "graphiql.min.css"):
            jar.writestr(f"META-INF/webjars/graphiql/2.4.7/{name}", name)
        for name in ("react", "react-dom"):
            jar.writestr(f"META-INF/webjars/{name}/umd/{name}.production.min.js", "browser")
            jar.writestr(f"META-INF/webjars/{name}/cjs/{name}.production.min.js", "node")
    assert jars.unpack("graphiql", tmp_path, tmp_path / "assets")
    assert sorted(file.name for file in (tmp_path / "assets").iterdir()) == sorted(
        jars.BROWSER_FILES["graphiql"]
    )
    assert (tmp_path / "assets/react.production.min.js").read_text() == "browser"
