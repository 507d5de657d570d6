"""The images' lock files: for each image the part of `requirements.lock` that its extras need.

Taken from the whole lock and not resolved anew, so an image runs what the tests ran.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from local_stack.settings import CHECKOUT

WHOLE = CHECKOUT / "requirements.lock"
IMAGES: Mapping[str, tuple[str, ...]] = {
    "requirements-gateway.lock": ("gateway", "tracing", "embedded"),
    "requirements-job.lock": ("stream-jobs",),
    "requirements-tools.lock": ("stream-tools",),
}
"""Each image's lock file, by the extras of `pyproject.toml` that it holds."""

PYTHONS = ("3.11.2", "3.11.14", "3.12.12")
"""Debian's and two newer ones: what any of them needs stands in the lock, with its marker."""

_PINNED = re.compile(r"^([A-Za-z0-9._-]+)==", flags=re.MULTILINE)


class LockError(Exception):
    """An extra needs what the whole lock does not have, or what is not installed here."""


def texts() -> dict[Path, str]:
    """Each image's lock file with the text that it should have. Raises LockError."""
    extras = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]
    optional: Mapping[str, list[str]] = extras["optional-dependencies"]
    blocks = blocks_of(WHOLE.read_text())
    found = {}
    for name, chosen in IMAGES.items():
        direct = [Requirement(line) for extra in chosen for line in optional[extra]]
        needed = set(_closure(direct, blocks))
        head = f"# {', '.join(chosen)}: a part of requirements.lock. ./dev images writes it.\n"
        found[CHECKOUT / name] = head + "".join(blocks[each] for each in sorted(needed))
    return found


def write() -> list[str]:
    """Put today's text into each lock file; return the names of those that this changed."""
    changed = []
    for path, text in texts().items():
        if not path.is_file() or path.read_text() != text:
            path.write_text(text)
            changed.append(path.name)
    return changed


def blocks_of(lock: str) -> dict[str, str]:
    """The lines of each package, hashes included and comments left out, by its canonical name."""
    lines = [line for line in lock.splitlines(keepends=True) if not line.lstrip().startswith("#")]
    text = "".join(lines)
    starts = list(_PINNED.finditer(text))
    ends = [each.start() for each in starts[1:]] + [len(text)]
    return {
        canonicalize_name(match[1]): text[match.start() : end]
        for match, end in zip(starts, ends, strict=True)
    }


def _closure(direct: Iterable[Requirement], blocks: Mapping[str, str]) -> Iterator[str]:
    """The names of all packages that `direct` leads to, on any of the Pythons."""
    seen: set[tuple[str, str]] = set()
    left = [(each, "") for each in direct]
    while left:
        wanted, extra = left.pop()
        if not _applies(wanted, extra):
            continue
        name = canonicalize_name(wanted.name)
        if name not in blocks:
            raise LockError(f"{name} is needed, and requirements.lock has it not")
        yield name
        for each in ("", *wanted.extras):
            if (name, each) not in seen:
                seen.add((name, each))
                left += [(below, each) for below in _required_by(name)]


def _required_by(name: str) -> list[Requirement]:
    try:
        return [Requirement(line) for line in requires(name) or ()]
    except PackageNotFoundError:
        return []  # for another Python than this one, so a leaf


def _applies(wanted: Requirement, extra: str) -> bool:
    if wanted.marker is None:
        return True
    machine = {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix"}
    return any(
        wanted.marker.evaluate(
            {
                **machine,
                "extra": extra,
                "python_full_version": python,
                "python_version": python.rpartition(".")[0],
            }
        )
        for python in PYTHONS
    )
