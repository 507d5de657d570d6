"""A folder for each module in which mutmut works on copies, with that module's tests alone."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from local_stack.settings import CHECKOUT

PACKAGES = ("gateway", "graphql_schema", "local_stack", "pinot_config", "stream_jobs")
NOTICED = frozenset({1, 3, 24, 36, 152, 255, -24})
"""mutmut's exit codes for a test that failed, and for one that no longer ended."""


@dataclass(frozen=True, slots=True)
class Score:
    """What became of a module's faults; a fault that no test ran into has survived."""

    planted: int
    survivors: tuple[str, ...]

    @property
    def noticed(self) -> int:
        return self.planted - len(self.survivors)

    def __str__(self) -> str:
        share = 100 * self.noticed / max(1, self.planted)
        return f"{self.noticed} of {self.planted} faults noticed ({share:.0f} %)"


def mutate(module: str, tests: tuple[str, ...], children: int) -> Score:
    """Plant every fault that mutmut knows into one module."""
    folder = _folder(module)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name in (*PACKAGES, "tests"):
        (folder / name).symlink_to(CHECKOUT / name)
    (folder / "pyproject.toml").write_text(_configuration(module, tests), "utf-8")
    _mutmut(folder, "run", "--max-children", str(children))
    said = json.loads((folder / "mutants" / f"{module}.meta").read_text("utf-8"))
    codes = said["exit_code_by_key"]
    return Score(len(codes), tuple(name for name, code in codes.items() if code not in NOTICED))


def shown(module: str, name: str) -> str:
    """A fault as a difference."""
    lines = _mutmut(_folder(module), "show", name).splitlines()
    return "\n".join(f"  {line}" for line in lines if not line.startswith(("---", "+++")))


def _folder(module: str) -> Path:
    return CHECKOUT / ".local" / "mutation" / module.removesuffix(".py").replace("/", ".")


def _configuration(module: str, tests: tuple[str, ...]) -> str:
    """The project's own settings, with mutmut's for this module."""
    project = (CHECKOUT / "pyproject.toml").read_text("utf-8")
    own = {"only_mutate": [module], "pytest_add_cli_args_test_selection": list(tests)}
    lines = "".join(f"{name} = {json.dumps(value)}\n" for name, value in own.items())
    return project.replace("[tool.mutmut]\n", f"[tool.mutmut]\n{lines}")


def _mutmut(folder: Path, *words: str) -> str:
    # Hypothesis must find the same examples each time, and only the copies may be imported.
    environment = {**os.environ, "CI": "1", "PYTHONPATH": ""}
    command = [str(Path(sys.executable).with_name("mutmut")), *words]
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=True,
    )
    return done.stdout
