"""The Python packages that only this comparison needs, hash-locked, in an environment of their own."""

from __future__ import annotations

import re
import subprocess
import sys
import venv
from pathlib import Path
from zlib import crc32

from local_stack.settings import CHECKOUT

LOCK = CHECKOUT / "requirements-bench.lock"
FOLDER = CHECKOUT / ".local" / "bench-venv"


def python() -> str:
    """The environment's Python; makes it first if it is not there or the lock has changed."""
    program, stamp = FOLDER / "bin" / "python", FOLDER / ".installed"
    wanted = f"{crc32(LOCK.read_bytes())}"
    if not stamp.is_file() or stamp.read_text() != wanted:
        total = len(re.findall(r"^\S+==", LOCK.read_text(), re.MULTILINE))
        print(
            f"Setting up {FOLDER.name} with {total} packages (once; ~250 MB) ...", file=sys.stderr
        )
        venv.create(FOLDER, clear=True, with_pip=True)
        _install(program)
        stamp.write_text(wanted)
    return str(program)


def _install(program: Path) -> None:
    command = [str(program), "-m", "pip", "install", "--disable-pip-version-check"]
    command += ["--progress-bar", "off", "--require-hashes", "--no-deps", "-r", str(LOCK)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as pip:
        said: list[str] = []
        assert pip.stdout is not None
        for line in pip.stdout:
            said.append(line)
            if line.startswith(("Collecting", "Installing")):
                print(f"  {line.split(' (from')[0].strip():.100}", file=sys.stderr, flush=True)
    if pip.returncode:
        raise RuntimeError("pip could not install requirements-bench.lock:\n" + "".join(said[-15:]))
