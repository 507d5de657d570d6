"""What a part of the stack is, and what every one of its processes gets or is kept from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from local_stack import health
from local_stack.settings import CHECKOUT, StackSettings

# Small heaps and one collector thread: eight JVMs share two cores.
# A JVM out of memory ends and is started again rather than living on half dead.
BUSY_JVM = ["-XX:+UseSerialGC", "-XX:-UsePerfData", "-Xss512k", "-XX:+ExitOnOutOfMemoryError"]
SMALL_JVM = [*BUSY_JVM, "-XX:TieredStopAtLevel=1"]


@dataclass(frozen=True, slots=True)
class Part:
    """One process of the stack. `address` is what `status` shows; `needs` start before it."""

    name: str
    argv: list[str]
    healthy: health.HealthCheck
    address: str
    environment: dict[str, str] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    deadline_s: float = (
        600  # far above what was seen: 240 s with `--cluster` and both cores taken by others
    )
    settle_s: float = 0  # how long it must live before it counts as healthy
    patience_s: float = 10  # from SIGTERM to SIGKILL
    prepare: Callable[[], object] | None = None  # before each start


def kind_of(name: str) -> str:
    """What a part is, whichever of several: `kafka` of `kafka_2`."""
    kind, _, number = name.rpartition("_")
    return kind if number.isdecimal() else name


@dataclass(frozen=True, slots=True)
class Toolbox:
    """What was found or fetched on this machine."""

    java_home: Path

    @property
    def java(self) -> str:
        return str(self.java_home / "bin/java")


def own_temporary(settings: StackSettings, name: str) -> str:
    """The JVM option that keeps a part's temporary files out of the machine's own folder."""
    return f"-Djava.io.tmpdir={settings.temporary(name)}"


def loopback_agent(settings: StackSettings) -> str:
    """The JVM option that applies `local_stack/conf/loopback.btm` to a part."""
    agent = next((settings.jars / "byteman").glob("byteman-*.jar"))
    # On the boot class path, since the rule also reaches classes whose loaders see nothing else.
    return f"-javaagent:{agent}=boot:{agent},script:{settings.rendered}/loopback.btm"


def child_environment(inherited: Mapping[str, str], added: Mapping[str, str]) -> dict[str, str]:
    """A child's environment: ours, without what would change Java or Python behind its back."""
    unwanted = (
        *("FLINK_", "HADOOP_", "JAVA_", "JDK_JAVA_", "_JAVA_", "CLASSPATH", "PYTHON"),
        *("KAFKA_", "PINOT_"),  # the shell's may be of another cluster
    )
    kept = {name: value for name, value in inherited.items() if not name.startswith(unwanted)}
    return {
        **kept,
        "PYTHONPATH": str(CHECKOUT),
        "PYTHONUTF8": "1",
        "PYTHONUNBUFFERED": "1",
        **added,
    }
