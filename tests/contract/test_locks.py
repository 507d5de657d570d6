"""The images' lock files are parts of the whole lock, and hold what the extras lead to."""

from __future__ import annotations

import re

import pytest

from local_stack import locks
from local_stack.settings import CHECKOUT


def pinned(text: str) -> dict[str, frozenset[str]]:
    """Each package with its version, and its hashes."""
    blocks = re.split(r"^(?=[A-Za-z0-9._-]+==)", text, flags=re.MULTILINE)[1:]
    return {
        block.split()[0]: frozenset(re.findall(r"--hash=(sha256:[0-9a-f]{64})", block))
        for block in blocks
    }


def test_the_lock_files_are_what_the_extras_lead_to() -> None:
    stale = [path.name for path, text in locks.texts().items() if path.read_text() != text]
    assert stale == [], "run ./dev images"


@pytest.mark.parametrize("name", sorted(locks.IMAGES))
def test_a_lock_file_is_a_part_of_the_whole_one_with_the_same_hashes(name: str) -> None:
    whole, part = pinned(locks.WHOLE.read_text()), pinned((CHECKOUT / name).read_text())
    assert len(part) >= 5
    assert part.items() <= whole.items()
    assert all(part.values())


@pytest.mark.parametrize("name", sorted(locks.IMAGES))
def test_a_lock_file_names_no_address(name: str) -> None:
    assert "://" not in (CHECKOUT / name).read_text()


def test_neither_the_gateway_nor_the_tools_have_flink() -> None:
    for name in ("requirements-gateway.lock", "requirements-tools.lock"):
        assert not re.search(
            r"^(apache-|pyarrow|pandas)", (CHECKOUT / name).read_text(), re.MULTILINE
        )
