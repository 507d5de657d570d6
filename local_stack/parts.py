"""What the stack is made of, Flink aside: for each part its command, health check and needs."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from string import Template

from local_stack import credentials, health, secure
from local_stack.checks import part_checks
from local_stack.part import SMALL_JVM, Part, Toolbox, own_temporary
from local_stack.pinot_home import pinot_home
from local_stack.settings import GROUP_TRIM_THRESHOLD, StackSettings

CONF = Path(__file__).resolve().parent / "conf"
KAFKA_CLUSTER_ID = "cGF5bWVudHMtbG9jYWwtMQ"


def render(settings: StackSettings) -> None:
    """Write every file of `local_stack/conf/` with the settings filled in, and secured if it is to be."""
    for template in sorted(each for each in CONF.iterdir() if each.is_file()):
        for each in settings.instances(template.stem.replace("-", "_")):
            _render_one(each, template)


def empty_temporary(settings: StackSettings) -> None:
    """Make the folders that JVMs leave their temporary files in, without what those before have left."""
    for kind in ("zookeeper", "kafka", "flink", "pinot_controller", "pinot_broker", "pinot_server"):
        for each in settings.instances(kind):
            folder = each.temporary(each.part_name(kind))
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)


def _render_one(settings: StackSettings, template: Path) -> None:
    values = settings.placeholders()
    if settings.secure:
        values |= secure.placeholders(settings)
    is_flink = "flink" in template.name
    folder = settings.rendered / ("flink" if is_flink else "")
    folder.mkdir(parents=True, exist_ok=True)
    text = Template(template.read_text()).substitute(values)
    if template.name.startswith("pinot-") and template.suffix == ".properties":
        text += pinot_home(settings).more_settings
    for profile in settings.profiles:
        over = CONF / profile / template.name
        if over.is_file():
            text = overridden(text, Template(over.read_text()).substitute(values))
    stem = template.stem.removeprefix("flink-") + settings.folder_suffix
    file = folder / f"{stem}{template.suffix}"
    file.touch(mode=0o600)
    file.write_text(text)


def overridden(text: str, over: str) -> str:
    """Properties with others in their place; an empty one takes the line away."""
    lines = [line for line in over.splitlines() if not line.endswith("=")]
    keys = {line.partition("=")[0] for line in over.splitlines() if "=" in line}
    kept = [line for line in text.splitlines() if line.partition("=")[0] not in keys]
    return "\n".join([*kept, *lines]) + "\n"


def kafka(settings: StackSettings, tools: Toolbox) -> Part:
    name = settings.part_name("kafka")
    return Part(
        name=name,
        argv=[
            tools.java,
            *SMALL_JVM,
            own_temporary(settings, name),
            "-Xmx384m",
            "-cp",
            f"{settings.jars}/kafka/*",
            "kafka.Kafka",
            str(_kafka_properties(settings)),
        ],
        healthy=part_checks(settings)[name],
        address=f"{settings.host}:{settings.kafka_port}",
    )


def kafka_needed(settings: StackSettings) -> tuple[str, ...]:
    """What must run for a client of Kafka to be started again; of several nodes none is needed."""
    return () if settings.cluster else ("kafka",)


def kafka_format_command(settings: StackSettings, tools: Toolbox) -> list[str]:
    """The command that prepares an empty data folder for Kafka; harmless on a prepared one."""
    return [
        tools.java,
        *SMALL_JVM,
        own_temporary(settings, settings.part_name("kafka")),
        "-cp",
        f"{settings.jars}/kafka/*",
        "kafka.tools.StorageTool",
        "format",
        "--ignore-formatted",
        "-t",
        KAFKA_CLUSTER_ID,
        "-c",
        str(_kafka_properties(settings)),
    ]


def _kafka_properties(settings: StackSettings) -> Path:
    return settings.rendered / f"kafka{settings.folder_suffix}.properties"


def zookeeper(settings: StackSettings, tools: Toolbox) -> Part:
    home = pinot_home(settings)
    return Part(
        name="zookeeper",
        argv=[
            tools.java,
            *SMALL_JVM,
            own_temporary(settings, "zookeeper"),
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


def progress(settings: StackSettings) -> Part:
    """The tracker that proves how far Pinot's answers are complete."""
    return Part(
        name=settings.part_name("progress"),
        argv=[
            sys.executable,
            "-m",
            "stream_jobs.progress",
            "--kafka",
            settings.kafka_servers,
            "--controller",
            settings.pinot_controller_urls,
            "--broker",
            settings.pinot_broker_urls,
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
        needs=kafka_needed(settings),
    )


def audit(settings: StackSettings) -> Part:
    """The completeness audit, which trusts none of the others."""
    name = settings.part_name("audit")
    return Part(
        name=name,
        argv=[
            sys.executable,
            "-m",
            "stream_jobs.audit",
            "--kafka",
            secure.kafka_servers(settings, "audit"),
            "--controller",
            settings.pinot_controller_urls,
            "--broker",
            settings.pinot_broker_urls,
            "--state",
            str(settings.audit_state),
            "--host",
            settings.host,
            "--metrics-port",
            str(settings.audit_port),
            *settings.event_arguments,
            *settings.erasure_key_arguments,
            *settings.lease_arguments,
        ],
        healthy=part_checks(settings)[name],
        address=f"{settings.audit_url}/metrics",
        environment=secure.environment(settings, "audit"),
        needs=kafka_needed(settings),
    )


def gateway(settings: StackSettings, store: str = "pinot", *, auth: bool = False) -> Part:
    """The GraphQL gateway; `store` is `pinot` or `duckdb`. With `auth`, nobody is anonymous."""
    name = settings.part_name("gateway")
    return Part(
        name=name,
        argv=[sys.executable, "-m", "gateway"],
        healthy=part_checks(settings)[name],
        address=settings.gateway_url,
        environment={
            "GATEWAY_HOST": settings.host,
            "GATEWAY_PORT": str(settings.gateway_port),
            "GATEWAY_STORE": store,
            **({"GATEWAY_CURRENCY": settings.currency} if settings.currency else {}),
            "GATEWAY_PINOT_BROKER_URL": settings.pinot_broker_urls,
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
        needs=kafka_needed(settings),
    )
