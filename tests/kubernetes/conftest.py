"""Helm, and the cluster that KUBECONFIG names; what is not there is said, and its tests are not run."""

from __future__ import annotations

import hashlib
import importlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from local_stack.settings import StackSettings
from tests.kubernetes.cluster import READY_S, Cluster, Helm
from tests.kubernetes.schemas import Kind, Schema, all_schemas

LOCK = Path(__file__).parent / "requirements.lock"


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """In the order of their files, since one release goes through them; each may wait for it to be ready, twice."""
    mine = [each for each in items if each.path.parent == Path(__file__).parent]
    for each in mine:
        each.add_marker(pytest.mark.timeout(2 * READY_S + 300))
    in_order = iter(sorted(mine, key=lambda each: (each.path, each.location[1] or 0)))
    items[:] = [next(in_order) if each in mine else each for each in items]


@pytest.fixture(scope="session")
def helm() -> Helm:
    """The `helm` on the PATH."""
    found = shutil.which("helm")
    if found is None:
        pytest.skip("helm is not on the PATH: what it renders was not judged")
    return Helm(found)


@pytest.fixture(scope="session")
def judges() -> Path:
    """The folder of the packages of requirements.lock, which the tests alone need; installed anew where that changed."""
    digest = hashlib.sha256(LOCK.read_bytes() + sys.version.encode()).hexdigest()[:16]
    folder = StackSettings().downloads / f"kubernetes-judges-{digest}"
    if not folder.exists():
        fresh = folder.with_suffix(".new")
        shutil.rmtree(fresh, ignore_errors=True)
        pip = [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check"]
        locked = ["--require-hashes", "--no-deps", "--only-binary", ":all:", "-r", str(LOCK)]
        subprocess.run([*pip, *locked, "--target", str(fresh)], check=True)
        fresh.replace(folder)
    return folder


@pytest.fixture(scope="session")
def kubernetes(judges: Path) -> Iterator[ModuleType]:
    """What holds resources against Kubernetes' own schemas."""
    sys.path.append(str(judges))
    try:
        yield importlib.import_module("kubernetes_validate")
    finally:
        sys.path.remove(str(judges))


@pytest.fixture(scope="session")
def schemas(judges: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[Kind, Schema]:
    """Those of custom resources."""
    return all_schemas(judges, tmp_path_factory.mktemp("crds"))


@pytest.fixture(scope="session")
def reached() -> str:
    """The `kubectl` on the PATH, with a cluster that answers it."""
    found = shutil.which("kubectl")
    if not os.environ.get("KUBECONFIG"):
        pytest.skip("KUBECONFIG names no cluster: nothing was installed")
    if found is None:
        pytest.skip("kubectl is not on the PATH: nothing was installed")
    return found


@pytest.fixture(scope="module")
def cluster(helm: Helm, reached: str, request: pytest.FixtureRequest) -> Iterator[Cluster]:
    """A namespace of the module's own, in which Pod Security `restricted` is enforced."""
    name = f"pa-{request.module.__name__.rsplit('_', 1)[-1]}"
    with Cluster(reached, helm, name).namespace() as made:
        yield made
