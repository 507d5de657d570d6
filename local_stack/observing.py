"""`./dev up --observe`: Prometheus beside the stack, with the rules that are delivered for production."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from local_stack import credentials
from local_stack.checks import part_checks
from local_stack.part import Part
from local_stack.prerequisites import PROMETHEUS, MissingError, message
from local_stack.settings import CHECKOUT, StackSettings

RULES = CHECKOUT / "charts" / "payment-analytics" / "rules"
# Of the gateway alone, where nothing else runs: what is told of the pipeline would be missed for ever.
EMBEDDED_RULES = ("gateway.yaml", "thresholds.yaml")
# Nothing archives here but for whoever starts that by hand: it would be missed for ever.
RULES_OF_THE_STACK = ("audit.yaml", *EMBEDDED_RULES, "pipeline.yaml")
# In production 15 s do; here somebody sits and waits.
EVERY = "5s"
KEEPS = "2d"


def prometheus(settings: StackSettings, *, embedded: bool = False, auth: bool = False) -> Part:
    """Prometheus on loopback. Raises `MissingError` where it is not installed."""
    program = PROMETHEUS.find(os.environ)
    if program is None:
        raise MissingError(message([PROMETHEUS]))
    file = settings.rendered / "prometheus.yaml"
    said = configuration(settings, embedded=embedded, auth=auth)
    return Part(
        name="prometheus",
        argv=[
            program,
            f"--config.file={file}",
            f"--storage.tsdb.path={settings.data / 'prometheus'}",
            f"--storage.tsdb.retention.time={KEEPS}",
            f"--web.listen-address={settings.host}:{settings.prometheus_port}",
        ],
        healthy=part_checks(settings)["prometheus"],
        address=settings.prometheus_url,
        prepare=partial(_write, file, said),
    )


def configuration(settings: StackSettings, *, embedded: bool, auth: bool) -> dict[str, Any]:
    """What Prometheus scrapes and judges; with `auth`, the gateway is shown the scrape token."""
    jobs = [_job("gateway", "gateway_port", settings)]
    if auth:
        token = str(credentials.files(settings).metrics_token)
        jobs[0]["authorization"] = {"credentials_file": token}
    if not embedded:
        jobs.append(_job("progress", "metrics_port", settings))
        jobs.append(_job("audit", "audit_port", settings))
    names = EMBEDDED_RULES if embedded else RULES_OF_THE_STACK
    return {
        "global": {"scrape_interval": EVERY, "evaluation_interval": EVERY},
        "rule_files": [str(RULES / name) for name in names],
        "scrape_configs": jobs,
    }


def _job(part: str, port: str, settings: StackSettings) -> dict[str, Any]:
    targets = [f"{each.host}:{getattr(each, port)}" for each in settings.instances(part)]
    return {"job_name": part, "static_configs": [{"targets": targets}]}


def _write(path: Path, said: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(said, sort_keys=False))
