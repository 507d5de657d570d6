"""Bills of materials: every package of a lock with its hashes, every jar under the name that Maven gave it."""

from __future__ import annotations

import hashlib
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from local_stack import images, sbom
from local_stack.settings import CHECKOUT


def components(lock: Path | None, *jars: Path) -> dict[str, dict[str, Any]]:
    told = json.loads(sbom.text("job", "1.2.3", lock, jars))
    assert told["bomFormat"] == "CycloneDX"
    assert told["metadata"]["component"] | {"bom-ref": ""} == {
        "bom-ref": "",
        "name": "payment-analytics/job",
        "type": "container",
        "version": "1.2.3",
    }
    return {each["purl"]: each for each in told.get("components", ())}


def jar(path: Path, poms: int, version: str = "2.0") -> Path:
    with zipfile.ZipFile(path, "w") as made:
        for number in range(poms):
            lines = f"groupId=org.example\nartifactId=part{number}\nversion={version}\n"
            made.writestr(f"META-INF/maven/org.example/part{number}/pom.properties", lines)
    return path


def test_every_locked_package_is_there_with_all_its_hashes(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    first, second, third = "a" * 64, "b" * 64, "c" * 64
    lock.write_text(
        f"# some\none==1.0 \\\n    --hash=sha256:{first} \\\n    --hash=sha256:{second}\n"
        f"two-words==2.0rc1 ; python_version < '3.12' \\\n    --hash=sha256:{third}\n"
    )
    found = components(lock)
    assert sorted(found) == ["pkg:pypi/one@1.0", "pkg:pypi/two-words@2.0rc1"]
    hashes = [[each["content"] for each in one["hashes"]] for one in found.values()]
    assert [sorted(each) for each in hashes] == [[first, second], [third]]


def test_a_jar_is_named_as_maven_does_and_else_by_its_file(tmp_path: Path) -> None:
    one = jar(tmp_path / "a.jar", 1)
    none = jar(tmp_path / "some-part-5.0.0-2.2.jar", 0)
    many = jar(tmp_path / "fat.jar", 2)
    found = components(None, one, none, many)
    assert sorted(found) == [
        "pkg:generic/fat",
        "pkg:generic/some-part@5.0.0-2.2",
        "pkg:maven/org.example/part0@2.0",
    ]
    digest = hashlib.sha256(one.read_bytes()).hexdigest()
    assert found["pkg:maven/org.example/part0@2.0"]["hashes"][0]["content"] == digest


@pytest.mark.parametrize("name", ["gateway", "tools", "job"])
def test_our_own_locks_are_told_whole(name: str) -> None:
    lock = CHECKOUT / f"requirements-{name}.lock"
    pinned = [line for line in lock.read_text().splitlines() if line[:1].isalnum()]
    assert len(components(lock)) == len(pinned) >= 5
    assert any(image.name == name for image in images.IMAGES)
