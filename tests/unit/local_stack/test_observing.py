"""Prometheus beside the stack: what it scrapes and judges, as its own tool reads it."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from local_stack import credentials, health, observing, preparation
from local_stack.settings import StackSettings


def targets(said: dict[str, Any]) -> dict[str, str]:
    """Addresses by job."""
    return {
        job["job_name"]: job["static_configs"][0]["targets"][0] for job in said["scrape_configs"]
    }


@pytest.mark.parametrize("auth", [False, True])
def test_promtool_has_nothing_against_the_configuration(auth: bool, tmp_path: Path) -> None:
    settings = replace(StackSettings(), state=tmp_path)
    token = credentials.files(settings).metrics_token
    token.parent.mkdir()
    token.write_text("t" * 32)
    said = observing.configuration(settings, embedded=False, auth=auth)
    file = tmp_path / "prometheus.yaml"
    file.write_text(yaml.safe_dump(said))
    command = ["promtool", "check", "config", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    judged = {Path(file).name for file in said["rule_files"]}
    assert done.stdout.count("rules found") == len(judged)
    # It would be missed for ever.
    assert {file.name for file in observing.RULES.glob("*.yaml")} - judged == {"archive.yaml"}
    assert ("authorization" in said["scrape_configs"][0]) is auth


def test_it_scrapes_all_that_tell_something_and_the_gateway_alone_where_there_is_no_more() -> None:
    settings = StackSettings(gateway_port=1, metrics_port=2, audit_port=3)
    whole = observing.configuration(settings, embedded=False, auth=False)
    assert targets(whole) == {
        "gateway": "127.0.0.1:1",
        "progress": "127.0.0.1:2",
        "audit": "127.0.0.1:3",
    }
    alone = observing.configuration(settings, embedded=True, auth=False)
    assert targets(alone) == {"gateway": "127.0.0.1:1"}
    named = {Path(file).name for file in alone["rule_files"]}
    assert named == {"gateway.yaml", "thresholds.yaml"}


def test_its_port_may_be_taken_as_long_as_nobody_observes(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = StackSettings()
    taken = settings.prometheus_port
    monkeypatch.setattr(health, "port_taken", lambda _, port: port == taken)
    preparation.refuse_taken_ports(settings, embedded=False)
    preparation.refuse_taken_ports(settings, embedded=True)
    for embedded in (False, True):
        with pytest.raises(preparation.StackError, match="STACK_PROMETHEUS_PORT"):
            preparation.refuse_taken_ports(settings, embedded=embedded, observe=True)


def test_every_one_of_several_is_watched() -> None:
    cluster = replace(StackSettings(), cluster=True, gateway_port=1)
    said = observing.configuration(cluster, embedded=False, auth=False)
    assert said["scrape_configs"][0]["static_configs"][0]["targets"] == [
        "127.0.0.1:1",
        "127.0.0.1:101",
    ]
