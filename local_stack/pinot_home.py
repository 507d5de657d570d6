"""Which Pinot runs: the fetched one, an unpacked distribution, or a folder of jars; and all that differs by its version."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from local_stack.jars import POMS

if TYPE_CHECKING:
    from local_stack.settings import StackSettings

VARIABLE: Final = "PINOT_HOME"
_JAR = re.compile(
    r"pinot-(?:all|common)-(\d+(?:\.\d+)+(?:-SNAPSHOT)?)(?:-jar-with-dependencies)?\.jar"
)
SECOND_ENGINE_SINCE: Final = (1, 0)


class PinotHomeError(Exception):
    """No Pinot can be started from the folder, or not on this data; the message says what to do."""


@dataclass(frozen=True, slots=True)
class PinotHome:
    """One Pinot; `plugins` is the folder of a distribution's plugins, which its jars look for."""

    classpath: str
    version: str
    plugins: Path | None = None

    @property
    def jvm(self) -> list[str]:
        """What its processes are told of where they lie."""
        return [f"-Dplugins.dir={self.plugins}"] if self.plugins else []

    @property
    def more_settings(self) -> str:
        """What every part of this version is told beyond 0.11, one a line.

        1.x has a second query engine, which nobody here asks: it would listen on three more ports, on all addresses.
        """
        numbers = tuple(int(each) for each in re.findall(r"\d+", self.version)[:2])
        return "pinot.multistage.engine.enabled=false\n" if numbers >= SECOND_ENGINE_SINCE else ""


def pinot_home(settings: StackSettings) -> PinotHome:
    """The Pinot that the settings name. Raises PinotHomeError if the folder holds none."""
    given = settings.pinot_home
    if given is None:
        return PinotHome(f"{settings.jars}/pinot/*", _fetched_version())
    if (given / "lib").is_dir():
        plugins = given / "plugins"
        return PinotHome(
            f"{given}/lib/*", _version_in(given / "lib"), plugins if plugins.is_dir() else None
        )
    return PinotHome(f"{given}/*", _version_in(given))


def refuse_other_data(settings: StackSettings) -> None:
    """Raise PinotHomeError if the data were written by another version; else write down by which they are."""
    version, mark = pinot_home(settings).version, settings.data / "pinot/version"
    before = written_by(settings)
    if before and before != version:
        raise PinotHomeError(
            f"Pinot's data were written by {before}, and this is {version}: start with that one again, or over "
            "with ./dev up --fresh. To move data, upgrade a cluster by Pinot's own way, on a copy."
        )
    mark.parent.mkdir(parents=True, exist_ok=True)
    mark.write_text(version)


def written_by(settings: StackSettings) -> str:
    """The version that runs on this data, or ran last; empty before the first."""
    mark = settings.data / "pinot/version"
    return mark.read_text() if mark.is_file() else ""


def _fetched_version() -> str:
    """Of the jars that are fetched, whether they are here yet or not."""
    named = re.search(r"<pinot\.version>([^<]+)<", (POMS / "pinot.xml").read_text())
    assert named is not None  # a test holds the file to it
    return named[1]


def _version_in(folder: Path) -> str:
    found = sorted(match[1] for jar in folder.glob("*.jar") if (match := _JAR.fullmatch(jar.name)))
    if len(set(found)) != 1:
        what = "no Pinot" if not found else f"several: {', '.join(sorted(set(found)))}"
        raise PinotHomeError(
            f"{folder} holds {what}: name an unpacked distribution (lib/, plugins/) or a folder of jars with "
            f"--pinot-home or {VARIABLE}"
        )
    return found[0]
