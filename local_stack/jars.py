"""Bringing in the jars named in `local_stack/jars/*.xml` with Maven, once each."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import time
import zipfile
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from local_stack.prerequisites import MAVEN, message

POMS = Path(__file__).resolve().parent / "jars"
BROWSER_FILES = {
    "graphiql": (
        "graphiql.min.js",
        "graphiql.min.css",
        "react.production.min.js",
        "react-dom.production.min.js",
    ),
    "uplot": ("uPlot.iife.min.js", "uPlot.min.css"),
}
"""What the gateway's pages load, by the set of jars that holds it; each set has a folder of its own."""

TELL_EVERY_S = 3.0
SAID_LINES = 30


class JarsError(Exception):
    """The jars could not be had; the message says what to do."""


def missing(folder: Path, poms: Path = POMS) -> list[str]:
    """The sets of jars that `folder` does not hold in the version that their POM asks for."""
    return [pom.stem for pom in sorted(poms.glob("*.xml")) if not _current(pom, folder)]


def fetch(
    names: list[str],
    folder: Path,
    java_home: Path,
    environment: Mapping[str, str],
    tell: Callable[[str], None],
    poms: Path = POMS,
) -> None:
    """Fetch the named sets of jars into `folder/<name>/`, one Maven at a time.

    Raises:
        JarsError: there is no `mvn`, or it failed (with the end of what it said).

    """
    maven = MAVEN.find(environment)
    if maven is None:
        raise JarsError(message([MAVEN]))
    for number, name in enumerate(names, start=1):
        tell(f"{name} ({number} of {len(names)})")
        java = {**environment, "JAVA_HOME": str(java_home)}
        _fetch_one(maven, poms / f"{name}.xml", folder, java, tell)


def unpack(name: str, folder: Path, assets: Path) -> bool:
    """Lay the files that a page loads of the named set into `assets`; whether all of them are there."""
    if _unpacked(name, assets):
        return True
    assets.mkdir(parents=True, exist_ok=True)
    for jar in (folder / name).glob("*.jar"):
        with zipfile.ZipFile(jar) as archive:
            for entry in archive.namelist():
                file = Path(entry).name
                # React has files of the same names for Node.js.
                if file in BROWSER_FILES[name] and "/cjs/" not in entry:
                    (assets / file).write_bytes(archive.read(entry))
    return _unpacked(name, assets)


def _unpacked(name: str, assets: Path) -> bool:
    return all((assets / file).is_file() for file in BROWSER_FILES[name])


def _fetch_one(
    maven: str, pom: Path, folder: Path, environment: Mapping[str, str], tell: Callable[[str], None]
) -> None:
    target = folder / pom.stem
    shutil.rmtree(target, ignore_errors=True)
    command = [maven, "-B", "-f", str(pom), "dependency:copy-dependencies"]
    command += [f"-DoutputDirectory={target}", "-DincludeScope=runtime"]
    said: deque[str] = deque(maxlen=SAID_LINES)
    with subprocess.Popen(
        command,
        env=dict(environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as running:
        assert running.stdout is not None
        _follow(running.stdout, pom.stem, said, tell)
    if running.returncode != 0:
        raise JarsError(f"Maven could not fetch the jars of {pom.name}:\n" + "".join(said).strip())
    (target / ".fetched").write_text(_digest(pom))


def _follow(
    output: Iterable[str], pom_name: str, said: deque[str], tell: Callable[[str], None]
) -> None:
    """Tell every few seconds how many files Maven has downloaded; keep what else it says."""
    files, told_at = 0, time.monotonic()
    for line in output:
        if "Downloaded from" in line:
            files += 1
            if time.monotonic() > told_at + TELL_EVERY_S:
                told_at = time.monotonic()
                tell(f"{pom_name}: {files} files so far")
        elif "Downloading from" not in line:
            said.append(line)


def _current(pom: Path, folder: Path) -> bool:
    stamp = folder / pom.stem / ".fetched"
    return stamp.is_file() and stamp.read_text() == _digest(pom)


def _digest(pom: Path) -> str:
    return hashlib.sha256(pom.read_bytes()).hexdigest()
