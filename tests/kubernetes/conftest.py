"""Helm, and the cluster that KUBECONFIG names; what is not there is said, and its tests are not run."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest

from tests.kubernetes.cluster import Cluster, Helm


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
