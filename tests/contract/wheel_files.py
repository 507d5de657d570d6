"""Prints every file that setuptools would put into a wheel, a line each, without building it: `python -m tests.contract.wheel_files`.

A process of its own, since setuptools takes the place of parts of Python where it is imported.
"""

from __future__ import annotations

from pathlib import Path

from setuptools import Distribution
from setuptools.config.pyprojecttoml import apply_configuration


def main() -> None:
    """Of the checkout that it is started in."""
    project = Distribution({"src_root": ".", "script_name": "setup.py"})
    apply_configuration(project, "pyproject.toml")
    project.set_defaults()
    command = project.get_command_obj("build_py")
    command.build_lib = "built"
    command.ensure_finalized()
    for each in command.get_outputs(include_bytecode=False):
        print(Path(each).relative_to("built"))


if __name__ == "__main__":
    main()
