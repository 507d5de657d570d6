"""Rendered configuration, and the environment that parts get."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import yaml
from pyflink.pyflink_gateway_server import get_jvm_opts

from local_stack import flink_parts, part, parts, pinot_parts
from local_stack.checks import part_checks
from local_stack.part import Toolbox
from local_stack.settings import StackSettings


def test_every_template_is_rendered_with_nothing_left_to_fill_in(tmp_path: Path) -> None:
    settings = replace(StackSettings(), state=tmp_path)
    parts.render(settings)
    rendered = [file for file in settings.rendered.rglob("*") if file.is_file()]
    assert len(rendered) == len([file for file in parts.CONF.iterdir() if file.is_file()])
    assert not [file for file in rendered if "${" in file.read_text()]
    assert "rest:" in (settings.rendered / "flink/config.yaml").read_text()


def test_all_parts_are_told_to_listen_on_loopback(tmp_path: Path) -> None:
    settings = replace(StackSettings(), state=tmp_path)
    parts.render(settings)
    for file in settings.rendered.rglob("*"):
        if file.is_file():
            assert "0.0.0.0" not in file.read_text()


def test_variables_that_change_java_or_python_behind_its_back_are_kept_from_a_part() -> None:
    child = part.child_environment({"JAVA_TOOL_OPTIONS": "-Xmx1g", "HOME": "/root"}, {"A": "1"})
    assert "JAVA_TOOL_OPTIONS" not in child
    assert child["HOME"] == "/root"
    assert child["A"] == "1"


def test_who_joins_pinots_cluster_finds_it_whole(tmp_path: Path) -> None:
    settings = replace(StackSettings(), downloads=tmp_path, cluster=True)
    byteman = settings.jars / "byteman/byteman-1.jar"
    byteman.parent.mkdir(parents=True)
    byteman.touch()
    own = pinot_parts.pinot(settings, Toolbox(tmp_path), lambda _: None)
    needed = {each.name: pinot_parts.needs(each) for each in own}
    makes = {"pinot_controller": ("zookeeper",)}
    joins = {f"pinot_{role}": (pinot_parts.CLUSTER,) for role in ("broker", "server")}
    joins |= {f"{name}_2": needs for name, needs in joins.items()}
    second = {"pinot_controller_2": ("zookeeper", "pinot_controller")}
    assert needed == makes | joins | second


def test_no_jvm_leaves_its_temporary_files_in_the_machines_own_folder(tmp_path: Path) -> None:
    settings = replace(StackSettings(), state=tmp_path, downloads=tmp_path, cluster=True)
    left = settings.temporary("flink") / "of-one-that-was-killed"
    left.mkdir(parents=True)
    parts.render(settings)
    parts.empty_temporary(settings)
    assert not left.exists()
    tools = Toolbox(tmp_path / "jdk")
    byteman = settings.jars / "byteman/byteman-1.jar"
    byteman.parent.mkdir(parents=True)
    byteman.touch()
    own = [
        parts.zookeeper(settings, tools),
        *(parts.kafka(each, tools) for each in settings.instances("kafka")),
        *pinot_parts.pinot(settings, tools, lambda _: None),
    ]
    folders = [_temporary(each.argv) for each in own]
    folders += map(_temporary, [parts.kafka_format_command(settings, tools)])
    # PyFlink's own reading, for the JVM of the client that submits a job; Flink's scripts read the same line.
    environment = flink_parts.flink_environment(settings)
    folders += [_temporary(get_jvm_opts(environment)), environment["TMPDIR"]]
    flink = yaml.safe_load((settings.rendered / "flink/config.yaml").read_text())
    folders += [flink["io"]["tmp"]["dirs"], flink["env.pid.dir"]]
    assert len(folders) == 15
    assert all(Path(each).is_dir() and Path(each).is_relative_to(tmp_path) for each in folders)
    assert len(set(folders)) == 11, "one of each, but Flink's"


def test_each_node_of_a_cluster_has_its_own_number_ports_and_folder(tmp_path: Path) -> None:
    settings = replace(StackSettings(), state=tmp_path, cluster=True)
    parts.render(settings)
    for number, suffix in [(1, ""), (2, "-2"), (3, "-3")]:
        kafka = _properties(settings.rendered / f"kafka{suffix}.properties")
        port = settings.of_instance(number).kafka_port
        assert kafka["node.id"] == str(number)
        assert kafka["advertised.listeners"] == f"PLAINTEXT://127.0.0.1:{port}"
        assert kafka["log.dirs"] == f"{settings.data}/kafka{suffix}"
        assert kafka["controller.quorum.voters"].count("@") == 3
        assert kafka["transaction.state.log.min.isr"] == kafka["min.insync.replicas"] == "2"
    server = _properties(settings.rendered / "pinot-server-2.properties")
    assert server["pinot.server.instance.dataDir"] == f"{settings.data}/pinot/server-2"
    # One folder of segments for both, as a deep store is.
    stores = {
        _properties(settings.rendered / f"pinot-controller{suffix}.properties")[
            "controller.data.dir"
        ]
        for suffix in ("", "-2")
    }
    assert stores == {f"{settings.data}/pinot/controller"}


def test_one_node_keeps_the_values_of_one(tmp_path: Path) -> None:
    settings = replace(StackSettings(), state=tmp_path)
    parts.render(settings)
    kafka = _properties(settings.rendered / "kafka.properties")
    assert kafka["controller.quorum.voters"] == "1@127.0.0.1:19093"
    assert kafka["offsets.topic.replication.factor"] == "1"
    assert kafka["min.insync.replicas"] == kafka["transaction.state.log.min.isr"] == "1"


def test_every_part_of_a_cluster_has_a_check_and_a_kind() -> None:
    names = set(part_checks(replace(StackSettings(), cluster=True)))
    assert {"kafka", "kafka_2", "kafka_3", "gateway_2", "pinot_server_2"} < names
    assert part.kind_of("kafka_3") == "kafka"
    assert part.kind_of("pinot_server") == "pinot_server"


def _properties(file: Path) -> dict[str, str]:
    pairs = (line.partition("=") for line in file.read_text().splitlines() if line[:1] != "#")
    return {name: value for name, _, value in pairs}


def _temporary(options: Sequence[str]) -> str:
    """Where a JVM with these options keeps temporary files."""
    (told,) = [each for each in options if each.startswith("-Djava.io.tmpdir=")]
    return told.partition("=")[2]
