"""Helm, and the cluster that KUBECONFIG names; what is not there is said, and its tests are not run."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kubernetes.cluster import READY_S, Cluster, Helm


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
