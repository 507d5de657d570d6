"""What the stack is made of: for each part its command, its health check and whom it needs."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from string import Template

from local_stack import health
from local_stack.settings import CHECKOUT, GROUP_TRIM_THRESHOLD, StackSettings

CONF = Path(__file__).resolve().parent / "conf"
KAFKA_CLUSTER_ID = "cGF5bWVudHMtbG9jYWwtMQ"
# Pinot reaches into the JDK; Java 17 lets it only where it is told to.
PINOT_OPENS = [
    word
    for package in [
        "java.nio",
        "sun.nio.ch",
        "java.lang",
        "java.util",
        "java.lang.reflect",
        "jdk.internal.misc",
        "java.util.concurrent",
        "java.net",
    ]
    for word in ("--add-opens", f"java.base/{package}=ALL-UNNAMED")
] + ["--add-exports", "java.base/jdk.internal.ref=ALL-UNNAMED"]
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
    deadline_s: float = 240  # far above what was seen: 80 s with both cores taken by others
    settle_s: float = 0  # how long it must live before it counts as healthy
    patience_s: float = 10  # from SIGTERM to SIGKILL
    prepare: Callable[[], None] | None = None  # before each start


@dataclass(frozen=True, slots=True)
class Toolbox:
    """What was found or fetched on this machine."""

    java_home: Path
    python: Path = Path(sys.executable)

    @property
    def java(self) -> str:
        return str(self.java_home / "bin/java")


def render(settings: StackSettings) -> None:
    """Write every file of `local_stack/conf/` with the settings filled in."""
    for template in sorted(CONF.iterdir()):
        name = template.name.removeprefix("flink-") if "flink" in template.name else template.name
        folder = settings.rendered / ("flink" if "flink" in template.name else "")
        folder.mkdir(parents=True, exist_ok=True)
        text = Template(template.read_text()).substitute(settings.placeholders())
        (folder / name).write_text(text)


def kafka(settings: StackSettings, tools: Toolbox) -> Part:
    return Part(
        name="kafka",
        argv=[
            tools.java,
            *SMALL_JVM,
            "-Xmx384m",
            "-cp",
            f"{settings.jars}/kafka/*",
            "kafka.Kafka",
            str(settings.rendered / "kafka.properties"),
        ],
        healthy=health.kafka_serves(settings.kafka_servers),
        address=settings.kafka_servers,
    )


def kafka_format_command(settings: StackSettings, tools: Toolbox) -> list[str]:
    """The command that prepares an empty data folder for Kafka; harmless on a prepared one."""
    return [
        tools.java,
        *SMALL_JVM,
        "-cp",
        f"{settings.jars}/kafka/*",
        "kafka.tools.StorageTool",
        "format",
        "--ignore-formatted",
        "-t",
        KAFKA_CLUSTER_ID,
        "-c",
        str(settings.rendered / "kafka.properties"),
    ]


def zookeeper(settings: StackSettings, tools: Toolbox) -> Part:
    return Part(
        name="zookeeper",
        argv=[
            tools.java,
            *SMALL_JVM,
            "-Xmx128m",
            f"-Dlog4j2.configurationFile={settings.rendered}/pinot-log4j2.xml",
            "-cp",
            f"{settings.jars}/pinot/*",
            "org.apache.zookeeper.server.ZooKeeperServerMain",
            str(settings.rendered / "zookeeper.properties"),
        ],
        healthy=health.zookeeper_serves(settings.host, settings.zookeeper_port),
        address=settings.zookeeper,
    )


def _pinot(
    settings: StackSettings,
    tools: Toolbox,
    role: str,
    instance: str,
    url: str,
    jvm: list[str],
    forget: Callable[[str], None],
) -> Part:
    return Part(
        name=f"pinot_{role}",
        argv=[
            tools.java,
            *jvm,
            # Helix gives up a dead instance after this, not after its default of 30 s.
            "-Dzk.session.timeout=10000",
            "-Dzookeeper.sasl.client=false",
            f"-Djava.io.tmpdir={settings.data}/pinot/tmp-{role}",
            f"-Dlog4j2.configurationFile={settings.rendered}/pinot-log4j2.xml",
            *PINOT_OPENS,
            "-cp",
            f"{settings.jars}/pinot/*",
            "org.apache.pinot.tools.admin.PinotAdministrator",
            f"Start{role.capitalize()}",
            "-configFileName",
            str(settings.rendered / f"pinot-{role}.properties"),
        ],
        healthy=health.http_ok(f"{url}/health"),
        address=url,
        needs=("zookeeper",),
        # A server waits over 10 s for its consumers, though it loses nothing by being killed.
        patience_s=4,
        prepare=lambda: forget(instance),
    )


def pinot(
    settings: StackSettings, tools: Toolbox, forget: Callable[[str], None]
) -> tuple[Part, Part, Part]:
    """Controller, broker and server. `forget` drops a dead instance's registration."""
    host = settings.host
    return (
        _pinot(
            settings,
            tools,
            "controller",
            f"Controller_{host}_{settings.pinot_controller_port}",
            settings.pinot_controller_url,
            [*SMALL_JVM, "-Xmx384m"],
            forget,
        ),
        _pinot(
            settings,
            tools,
            "broker",
            f"Broker_{host}_{settings.pinot_broker_port}",
            settings.pinot_broker_url,
            [*BUSY_JVM, "-Xmx512m"],
            forget,
        ),
        _pinot(
            settings,
            tools,
            "server",
            f"Server_{host}_{settings.pinot_server_port}",
            settings.pinot_server_admin_url,
            [
                *BUSY_JVM,
                "-Xmx2g",
                "-XX:MaxDirectMemorySize=6g",
                loopback_agent(settings),
            ],
            forget,
        ),
    )


def loopback_agent(settings: StackSettings) -> str:
    """The JVM option that applies `local_stack/conf/loopback.btm` to a part."""
    agent = next((settings.jars / "byteman").glob("byteman-*.jar"))
    # On the boot class path, since the rule also reaches classes whose loaders see nothing else.
    return f"-javaagent:{agent}=boot:{agent},script:{settings.rendered}/loopback.btm"


def flink(settings: StackSettings, tools: Toolbox) -> tuple[Part, Part]:
    """Job manager and task manager of the distribution inside the `apache-flink` wheel."""
    home = _pyflink_home()
    environment = {**flink_environment(settings), "JAVA_HOME": str(tools.java_home)}
    return (
        Part(
            name="flink",
            argv=["bash", str(home / "bin/jobmanager.sh"), "start-foreground"],
            healthy=health.http_json(
                f"{settings.flink_url}/overview", lambda said: "taskmanagers" in said
            ),
            address=settings.flink_url,
            environment=environment,
            needs=("zookeeper",),
        ),
        Part(
            name="flink_taskmanager",
            argv=["bash", str(home / "bin/taskmanager.sh"), "start-foreground"],
            healthy=health.http_json(
                f"{settings.flink_url}/taskmanagers", lambda said: len(said["taskmanagers"]) > 0
            ),
            address=f"{settings.flink_url}/#/task-manager",
            environment={
                **environment,
                "FLINK_ENV_JAVA_OPTS_TM": loopback_agent(settings),
            },
            needs=("zookeeper",),
        ),
    )


def flink_library(settings: StackSettings) -> Path:
    """The folder of jars that Flink's processes and the submitting client load."""
    return settings.state / "flink-lib"


def flink_environment(settings: StackSettings) -> dict[str, str]:
    """Where Flink finds itself, its jars and its configuration."""
    return {
        "FLINK_HOME": str(_pyflink_home()),
        "FLINK_LIB_DIR": str(flink_library(settings)),
        "FLINK_CONF_DIR": str(settings.rendered / "flink"),
        "FLINK_LOG_DIR": str(settings.logs / "flink"),
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


def progress(settings: StackSettings, tools: Toolbox) -> Part:
    """The tracker that proves how far Pinot's answers are complete."""
    return Part(
        name="progress",
        argv=[
            str(tools.python),
            "-m",
            "stream_jobs.progress",
            "--kafka",
            settings.kafka_servers,
            "--controller",
            settings.pinot_controller_url,
            "--broker",
            settings.pinot_broker_url,
        ],
        healthy=health.lives,
        settle_s=1,
        address="-",
        needs=("kafka",),
    )


def gateway(settings: StackSettings, tools: Toolbox, store: str = "pinot") -> Part:
    """The GraphQL gateway; `store` is `pinot` or `duckdb`."""
    return Part(
        name="gateway",
        argv=[str(tools.python), "-m", "gateway"],
        healthy=health.http_ok(f"{settings.gateway_url}/healthz"),
        address=settings.gateway_url,
        environment={
            "GATEWAY_HOST": settings.host,
            "GATEWAY_PORT": str(settings.gateway_port),
            "GATEWAY_STORE": store,
            "GATEWAY_PINOT_BROKER_URL": settings.pinot_broker_url,
            "GATEWAY_PINOT_GROUP_TRIM_THRESHOLD": str(GROUP_TRIM_THRESHOLD),
            "GATEWAY_GRAPHIQL_ASSETS": str(settings.graphiql),
        },
    )


def traffic(settings: StackSettings, tools: Toolbox, rate: int) -> Part:
    """Sample events at `rate` a second."""
    return Part(
        name="traffic",
        argv=[
            str(tools.python),
            "-m",
            "local_stack.traffic",
            "--kafka",
            settings.kafka_servers,
            "--rate",
            str(rate),
        ],
        healthy=health.lives,
        settle_s=1,
        address="-",
        needs=("kafka",),
    )


def child_environment(inherited: Mapping[str, str], part: Part) -> dict[str, str]:
    """The environment of a part: ours, without what would change Java or Python behind its back."""
    unwanted = ("FLINK_", "HADOOP_", "JAVA_", "JDK_JAVA_", "_JAVA_", "CLASSPATH", "PYTHON")
    kept = {name: value for name, value in inherited.items() if not name.startswith(unwanted)}
    return {
        **kept,
        "PYTHONPATH": str(CHECKOUT),
        "PYTHONUTF8": "1",
        "PYTHONUNBUFFERED": "1",
        **part.environment,
    }


def _pyflink_home() -> Path:
    """The folder of the Flink distribution, found without importing it (that takes a second)."""
    for folder in map(Path, sys.path):
        if (folder / "pyflink/bin/jobmanager.sh").is_file():
            return folder / "pyflink"
    raise FileNotFoundError("apache-flink is not installed in this Python; run ./dev up again.")
