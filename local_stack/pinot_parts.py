"""Pinot's controllers, brokers and servers: how each is started, and with how much memory."""

from __future__ import annotations

from collections.abc import Callable

from local_stack.checks import part_checks
from local_stack.part import (
    BUSY_JVM,
    SMALL_JVM,
    Part,
    Toolbox,
    kind_of,
    loopback_agent,
    own_temporary,
)
from local_stack.pinot_home import pinot_home
from local_stack.settings import StackSettings

CLUSTER = "pinot_cluster"
"""The step that ends when the cluster is there."""

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


def _pinot(
    settings: StackSettings,
    tools: Toolbox,
    role: str,
    port: int,
    url: str,
    jvm: list[str],
    forget: Callable[[str], None],
) -> Part:
    home, suffix = pinot_home(settings), settings.folder_suffix
    name = settings.part_name(f"pinot_{role}")
    return Part(
        name=name,
        argv=[
            tools.java,
            *jvm,
            # Helix gives up a dead instance after this, not after its default of 30 s.
            "-Dzk.session.timeout=10000",
            "-Dzookeeper.sasl.client=false",
            own_temporary(settings, name),
            f"-Dlog4j2.configurationFile={settings.rendered}/pinot-log4j2.xml",
            *PINOT_OPENS,
            *home.jvm,
            "-cp",
            home.classpath,
            "org.apache.pinot.tools.admin.PinotAdministrator",
            f"Start{role.capitalize()}",
            "-configFileName",
            str(settings.rendered / f"pinot-{role}{suffix}.properties"),
        ],
        healthy=part_checks(settings)[name],
        address=url,
        needs=("zookeeper",),
        # A server waits over 10 s for its consumers, though it loses nothing by being killed.
        patience_s=4,
        prepare=lambda: forget(f"{role.capitalize()}_{settings.host}_{port}"),
    )


def pinot(settings: StackSettings, tools: Toolbox, forget: Callable[[str], None]) -> list[Part]:
    """Controllers, brokers and servers. `forget` drops a dead instance's registration."""
    return [
        *(
            _pinot(
                each,
                tools,
                "controller",
                each.pinot_controller_port,
                each.pinot_controller_url,
                [*SMALL_JVM, "-Xmx384m"],
                forget,
            )
            for each in settings.instances("pinot_controller")
        ),
        *(
            _pinot(
                each,
                tools,
                "broker",
                each.pinot_broker_port,
                each.pinot_broker_url,
                [*BUSY_JVM, "-Xmx512m"],
                forget,
            )
            for each in settings.instances("pinot_broker")
        ),
        *(
            _pinot(
                each,
                tools,
                "server",
                each.pinot_server_port,
                each.pinot_server_admin_url,
                [*BUSY_JVM, *_server_memory(each), loopback_agent(each)],
                forget,
            )
            for each in settings.instances("pinot_server")
        ),
    ]


def _server_memory(settings: StackSettings) -> list[str]:
    if settings.cluster:  # two of them, beside all the others, in 24 GiB
        return ["-Xmx1g", "-Xmn384m", "-XX:MaxDirectMemorySize=3g"]
    return ["-Xmx2g", "-Xmn768m", "-XX:MaxDirectMemorySize=6g"]


def needs(each: Part) -> tuple[str, ...]:
    """What starts before a part of Pinot: one controller makes the cluster in ZooKeeper, all others find it there."""
    if kind_of(each.name) != "pinot_controller":
        return (CLUSTER,)
    return ("zookeeper",) if each.name == "pinot_controller" else ("zookeeper", "pinot_controller")
