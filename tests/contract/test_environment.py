"""Who reads the environment: settings modules, and the command that hands it to them."""

from __future__ import annotations

import ast
from pathlib import Path

from local_stack.settings import CHECKOUT

PACKAGES = ("gateway", "graphql_schema", "local_stack", "pinot_config", "stream_jobs")
NAMES = {"environ", "environb", "getenv", "getenvb"}


def reads_environment(path: Path) -> bool:
    """Whether it takes more of the environment than to set what a library reads there."""
    nodes = list(ast.walk(ast.parse(path.read_text())))
    places = [each for each in nodes if isinstance(each, ast.Subscript)]
    written = [each.value for each in places if isinstance(each.ctx, ast.Store)]
    for node in nodes:
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "os":
            named = set() if node in written else {node.attr}
        elif isinstance(node, ast.ImportFrom) and node.module == "os":
            named = {each.name for each in node.names}
        else:
            continue
        if named & NAMES:
            return True
    return False


def test_only_settings_read_the_environment() -> None:
    files = [path for package in PACKAGES for path in (CHECKOUT / package).rglob("*.py")]
    assert {str(path.relative_to(CHECKOUT)) for path in files if reads_environment(path)} == {
        "gateway/settings/reading.py",
        "local_stack/__main__.py",  # hands it to its settings, and to the processes it starts
        # Run before there is anything but Python: what is on the PATH, and Debian's package manager.
        "local_stack/apt.py",
        "local_stack/prerequisites.py",
        "local_stack/images.py",
        "local_stack/observing.py",
        # How Kafka and Pinot are reached, the same way by every process and command.
        "stream_jobs/http_access.py",
        "stream_jobs/topics/access.py",
        "stream_jobs/topics/clients.py",
    }
