"""The rival on Node: Mercurius with graphql-jit, on the SDL of ours and on answers of ours as its data."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from local_stack.settings import CHECKOUT
from tests.load.gateway import mix
from tests.load.gateway.running import Server, serving

FOLDER = CHECKOUT / "tests" / "load" / "mercurius"
SDL = CHECKOUT / "graphql_schema" / "schema.graphql"


def available() -> bool:
    """Whether this machine has Node and npm."""
    return shutil.which("node") is not None and shutil.which("npm") is not None


@contextmanager
def mercurius(ours: Server, window: dict[str, Any], data: Path) -> Iterator[Server]:
    """Serve with our answers, by operation name, as data; installs its locked packages once."""
    if not (FOLDER / "node_modules" / ".package-lock.json").exists():
        subprocess.run(["npm", "ci", "--ignore-scripts"], cwd=FOLDER, check=True)
    answers = {_operation(name): ours.ask(mix.body(name, window))["data"] for name in mix.MIX}
    data.parent.mkdir(parents=True, exist_ok=True)
    data.write_text(json.dumps(answers))
    program = ["node", str(FOLDER / "server.mjs"), str(SDL), str(data), "{port}"]
    with serving("mercurius", program, {"NODE_ENV": "production"}) as server:
        yield server


def _operation(name: str) -> str:
    """The operation of a file, which is named as it."""
    return "".join(word.title() for word in name.split("_"))
