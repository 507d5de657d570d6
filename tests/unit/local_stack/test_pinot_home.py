"""Which Pinot a folder holds is read from its jars, and data of one version is not opened by another."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from local_stack.environment import from_environment
from local_stack.pinot_home import PinotHomeError, pinot_home, refuse_other_data, written_by
from local_stack.settings import StackSettings


def _with(folder: Path, *jars: str) -> StackSettings:
    folder.mkdir(parents=True, exist_ok=True)
    for jar in jars:
        (folder / jar).touch()
    return StackSettings(state=folder.parent / "state", pinot_home=folder)


def test_the_fetched_one_is_the_default_and_its_version_is_the_poms() -> None:
    home = pinot_home(StackSettings())
    assert home.version == "0.11.0"
    assert home.classpath.endswith("/jars/pinot/*")
    assert (home.jvm, home.more_settings) == ([], "")


def test_a_folder_of_jars(tmp_path: Path) -> None:
    home = pinot_home(_with(tmp_path / "jars", "pinot-common-1.2.0.jar", "guava-30.jar"))
    assert (home.version, home.classpath) == ("1.2.0", f"{tmp_path}/jars/*")
    assert home.jvm == []


def test_an_unpacked_distribution_is_told_where_its_plugins_are(tmp_path: Path) -> None:
    home_folder = tmp_path / "apache-pinot-1.5.1-bin"
    settings = _with(home_folder / "lib", "pinot-all-1.5.1-jar-with-dependencies.jar")
    (home_folder / "plugins").mkdir()
    home = pinot_home(replace(settings, pinot_home=home_folder))
    assert (home.version, home.classpath) == ("1.5.1", f"{home_folder}/lib/*")
    assert home.jvm == [f"-Dplugins.dir={home_folder}/plugins"]


@pytest.mark.parametrize(
    ("version", "told"),
    [("0.11.0", ""), ("0.12.1", ""), ("1.0.0", "false"), ("1.5.1", "false"), ("10.0", "false")],
)
def test_the_second_engine_is_off_where_there_is_one(
    version: str, told: str, tmp_path: Path
) -> None:
    said = pinot_home(_with(tmp_path / "jars", f"pinot-common-{version}.jar")).more_settings
    assert said.strip().partition("=")[2] == told


@pytest.mark.parametrize(
    ("jars", "told"),
    [
        ((), "no Pinot"),
        (("kafka-clients-3.9.0.jar",), "no Pinot"),
        (("pinot-common-1.2.0.jar", "pinot-common-1.3.0.jar"), r"several: 1\.2\.0, 1\.3\.0"),
    ],
)
def test_a_folder_without_one_pinot_is_refused(
    jars: tuple[str, ...], told: str, tmp_path: Path
) -> None:
    with pytest.raises(PinotHomeError, match=f"holds {told}: .*--pinot-home or PINOT_HOME"):
        pinot_home(_with(tmp_path / "jars", *jars))


def test_data_of_another_version_is_not_opened(tmp_path: Path) -> None:
    old = _with(tmp_path / "old", "pinot-common-1.2.0.jar")
    refuse_other_data(old)
    refuse_other_data(old)
    assert written_by(old) == "1.2.0"
    new = _with(tmp_path / "new", "pinot-common-1.5.1.jar")
    with pytest.raises(PinotHomeError, match=r"written by 1\.2\.0, and this is 1\.5\.1: .*--fresh"):
        refuse_other_data(new)
    assert written_by(new) == "1.2.0"


def test_it_is_a_setting_of_the_environment(tmp_path: Path) -> None:
    assert from_environment({"PINOT_HOME": str(tmp_path)}).pinot_home == tmp_path
    assert from_environment({}).pinot_home is None
