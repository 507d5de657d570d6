"""What the stack is made of, Flink aside: for each part its command, health check and needs."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from string import Template

from local_stack import credentials, health, secure
from local_stack.checks import part_checks
from local_stack.part import BUSY_JVM, SMALL_JVM, Part, Toolbox, loopback_agent
from local_stack.pinot_home import pinot_home
from local_stack.settings import GROUP_TRIM_THRESHOLD, StackSettings

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


def render(settings: StackSettings) -> None:
    """Write every file of `local_stack/conf/` with the settings filled in, and secured if it is to be."""
    values = settings.placeholders()
    if settings.secure:
        values |= secure.placeholders(settings)
    for template in sorted(each for each in CONF.iterdir() if each.is_file()):
        name = template.name.removeprefix("flink-") if "flink" in template.name else template.name
        folder = settings.rendered / ("flink" if "flink" in template.name else "")
        folder.mkdir(parents=True, exist_ok=True)
        text = Template(template.read_text()).substitute(values)
        if template.name.startswith("pinot-") and template.suffix == ".properties":
            text += pinot_home(settings).more_settings
        over = CONF / "secure" / template.name
        if settings.secure and over.is_file():
            text = overridden(text, Template(over.read_text()).substitute(values))
        (folder / name).touch(mode=0o600)
        (folder / name).write_text(text)


def overridden(text: str, over: str) -> str:
    """Properties with others in their place; an empty one takes the line away."""
    lines = [line for line in over.splitlines() if not line.endswith("=")]
    keys = {line.partition("=")[0] for line in over.splitlines() if "=" in line}
    kept = [line for line in text.splitlines() if line.partition("=")[0] not in keys]
    return "\n".join([*kept, *lines]) + "\n"


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
        healthy=part_checks(settings)["kafka"],
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
    home = pinot_home(settings)
    return Part(
        name="zookeeper",
        argv=[
            tools.java,
            *SMALL_JVM,
            "-Xmx128m",
            f"-Dlog4j2.configurationFile={settings.rendered}/pinot-log4j2.xml",
            "-cp",
            home.classpath,
            "org.apache.zookeeper.server.ZooKeeperServerMain",
            str(settings.rendered / "zookeeper.properties"),
        ],
        healthy=part_checks(settings)["zookeeper"],
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
    home = pinot_home(settings)
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
            *home.jvm,
            "-cp",
            home.classpath,
            "org.apache.pinot.tools.admin.PinotAdministrator",
            f"Start{role.capitalize()}",
            "-configFileName",
            str(settings.rendered / f"pinot-{role}.properties"),
        ],
        healthy=part_checks(settings)[f"pinot_{role}"],
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
                "-Xmn768m",
                "-XX:MaxDirectMemorySize=6g",
                loopback_agent(settings),
            ],
            forget,
        ),
    )


def progress(settings: StackSettings) -> Part:
    """The tracker that proves how far Pinot's answers are complete."""
    return Part(
        name="progress",
        argv=[
            sys.executable,
            "-m",
            "stream_jobs.progress",
            "--kafka",
            settings.kafka_servers,
            "--controller",
            settings.pinot_controller_url,
            "--broker",
            settings.pinot_broker_url,
            "--flink",
            settings.flink_url,
            "--metrics-host",
            settings.host,
            "--metrics-port",
            str(settings.metrics_port),
            *settings.lease_arguments,
        ],
        healthy=health.lives,
        settle_s=1,
        address=f"http://{settings.host}:{settings.metrics_port}/metrics",
        environment=secure.environment(settings, "tracker"),
        needs=("kafka",),
    )


def audit(settings: StackSettings) -> Part:
    """The completeness audit, which trusts none of the others."""
    return Part(
        name="audit",
        argv=[
            sys.executable,
            "-m",
            "stream_jobs.audit",
            "--kafka",
            secure.kafka_servers(settings, "audit"),
            "--controller",
            settings.pinot_controller_url,
            "--broker",
            settings.pinot_broker_url,
            "--state",
            str(settings.audit_state),
            "--host",
            settings.host,
            "--metrics-port",
            str(settings.audit_port),
            *settings.event_arguments,
            *settings.lease_arguments,
        ],
        healthy=part_checks(settings)["audit"],
        address=f"{settings.audit_url}/metrics",
        environment=secure.environment(settings, "audit"),
        needs=("kafka",),
    )


def gateway(settings: StackSettings, store: str = "pinot", *, auth: bool = False) -> Part:
    """The GraphQL gateway; `store` is `pinot` or `duckdb`. With `auth`, nobody is anonymous."""
    return Part(
        name="gateway",
        argv=[sys.executable, "-m", "gateway"],
        healthy=part_checks(settings)["gateway"],
        address=settings.gateway_url,
        environment={
            "GATEWAY_HOST": settings.host,
            "GATEWAY_PORT": str(settings.gateway_port),
            "GATEWAY_STORE": store,
            **({"GATEWAY_CURRENCY": settings.currency} if settings.currency else {}),
            "GATEWAY_PINOT_BROKER_URL": settings.pinot_broker_url,
            "GATEWAY_PINOT_GROUP_TRIM_THRESHOLD": str(GROUP_TRIM_THRESHOLD),
            "GATEWAY_GRAPHIQL_ASSETS": str(settings.graphiql),
            "GATEWAY_PAGE_ASSETS": str(settings.uplot),
            **(secure.gateway_environment(settings) if store == "pinot" else {}),
            **credentials.gateway_environment(settings, required=auth),
        },
    )


def traffic(settings: StackSettings, rate: int) -> Part:
    """Sample events at `rate` a second."""
    return Part(
        name="traffic",
        argv=[
            sys.executable,
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
        environment=secure.environment(settings, "producer"),
        needs=("kafka",),
    )
