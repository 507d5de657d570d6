"""Flink's job manager and task manager, out of the distribution inside the `apache-flink` wheel."""

from __future__ import annotations

import shutil
import sys
from functools import partial
from pathlib import Path

from local_stack import secure
from local_stack.checks import part_checks
from local_stack.job_results import drop_unreadable
from local_stack.part import Part, Toolbox, loopback_agent
from local_stack.settings import StackSettings
from local_stack.zookeeper import remembered_jobs


def flink(settings: StackSettings, tools: Toolbox) -> list[Part]:
    """Job manager and task managers of the distribution inside the `apache-flink` wheel."""
    home, checks = _pyflink_home(), part_checks(settings)
    environment = {
        **flink_environment(settings),
        # The job's Python workers, which follow erasures, have this from their task manager.
        **secure.kafka_environment(settings, "job"),
        "JAVA_HOME": str(tools.java_home),
    }
    names = [
        each.part_name("flink_taskmanager") for each in settings.instances("flink_taskmanager")
    ]
    return [
        Part(
            name="flink",
            argv=["bash", str(home / "bin/jobmanager.sh"), "start-foreground"],
            healthy=checks["flink"],
            address=settings.flink_url,
            environment=environment,
            needs=("zookeeper",),
            prepare=partial(
                drop_unreadable,
                settings.data / "flink",
                partial(remembered_jobs, settings.zookeeper),
            ),
        ),
        *(
            Part(
                name=name,
                # Under the name of the one before, which it replaces at once when it registers.
                argv=[
                    "bash",
                    str(home / "bin/taskmanager.sh"),
                    "start-foreground",
                    f"-Dtaskmanager.resource-id={name}",
                ],
                healthy=checks[name],
                address=f"{settings.flink_url}/#/task-manager",
                environment={**environment, "FLINK_ENV_JAVA_OPTS_TM": loopback_agent(settings)},
                needs=("zookeeper",),
            )
            for name in names
        ),
    ]


def flink_library(settings: StackSettings) -> Path:
    """The folder of jars that Flink's processes and the submitting client load."""
    return settings.state / "flink-lib"


def flink_environment(settings: StackSettings) -> dict[str, str]:
    """Where Flink finds itself, its jars and its configuration, and where its Python keeps temporary files."""
    return {
        "FLINK_HOME": str(_pyflink_home()),
        "FLINK_LIB_DIR": str(flink_library(settings)),
        "FLINK_CONF_DIR": str(settings.rendered / "flink"),
        "FLINK_LOG_DIR": str(settings.logs / "flink"),
        "TMPDIR": str(settings.temporary("flink")),
    }


def link_flink_library(settings: StackSettings) -> None:
    """Fill the library folder: the distribution's own jars, its Python runtime, the connector."""
    home = _pyflink_home()
    folder = flink_library(settings)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for jar in (
        *(home / "lib").glob("*.jar"),
        *(home / "opt").glob("flink-python-*.jar"),
        *(settings.jars / "flink").glob("*.jar"),
    ):
        (folder / jar.name).symlink_to(jar)


def _pyflink_home() -> Path:
    """The folder of the Flink distribution, found without importing it (that takes a second)."""
    for folder in map(Path, sys.path):
        if (folder / "pyflink/bin/jobmanager.sh").is_file():
            return folder / "pyflink"
    raise FileNotFoundError("apache-flink is not installed in this Python; run ./dev up again.")
