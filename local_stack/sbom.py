"""`./dev images --sbom`: what an image holds of others' packages, as CycloneDX: locked Python packages, and jars.

Debian's packages are not in it: they are of the day on which an image is built, and a scanner reads them there.
"""

from __future__ import annotations

import hashlib
import re
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

from local_stack import locks

_VERSION = re.compile(r"[\s;\\]")
"""What stands behind one."""
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")
_FILE = re.compile(r"(.+?)-(\d.*)")
_POM = re.compile(r"META-INF/maven/[^/]+/[^/]+/pom\.properties")


def text(name: str, version: str, lock: Path | None, jars: Iterable[Path]) -> str:
    """The bill of one image, as JSON; equal contents give equal components."""
    bom = Bom()
    bom.metadata.component = Component(
        name=f"payment-analytics/{name}", version=version, type=ComponentType.CONTAINER
    )
    for each in (*_packages(lock), *map(_jar, sorted(jars))):
        bom.components.add(each)
        bom.register_dependency(bom.metadata.component, [each])
    return str(JsonV1Dot6(bom).output_as_string(indent=2)) + "\n"


def _packages(lock: Path | None) -> Iterator[Component]:
    locked = {} if lock is None else locks.blocks_of(lock.read_text())
    for name, own in locked.items():
        version = _VERSION.split(own.partition("==")[2], maxsplit=1)[0]
        yield Component(
            name=name,
            version=version,
            purl=PackageURL("pypi", None, name, version),
            bom_ref=f"pypi:{name}",
            hashes=[
                HashType(alg=HashAlgorithm.SHA_256, content=each) for each in _HASH.findall(own)
            ],
        )


def _jar(path: Path) -> Component:
    group, name, version = _coordinates(path)
    kind = "maven" if group else "generic"
    return Component(
        group=group,
        name=name,
        version=version,
        purl=PackageURL(kind, group, name, version),
        bom_ref=f"jar:{path.name}",
        hashes=[
            HashType(
                alg=HashAlgorithm.SHA_256, content=hashlib.sha256(path.read_bytes()).hexdigest()
            )
        ],
    )


def _coordinates(path: Path) -> tuple[str | None, str, str | None]:
    """Group, name and version as Maven wrote them into the jar; of one that has none or many, its file's name."""
    with zipfile.ZipFile(path) as jar:
        told = [each for each in jar.namelist() if _POM.fullmatch(each)]
        if len(told) == 1:
            lines = jar.read(told[0]).decode("utf-8", "replace").splitlines()
            said = dict(line.split("=", 1) for line in lines if "=" in line)
            if {"groupId", "artifactId", "version"} <= said.keys():
                return said["groupId"], said["artifactId"], said["version"]
    named = _FILE.fullmatch(path.stem)
    return (None, named[1], named[2]) if named else (None, path.stem, None)
