"""Bringing the whole stack up and down: which step waits for which, and in what order it ends."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import httpx
from kazoo.exceptions import KazooException
from kazoo.handlers.threading import KazooTimeoutError

from local_stack import (
    credentials,
    flink_parts,
    observing,
    part,
    parts,
    pinot_parts,
    preparation,
    processes,
    secure,
    snapshots,
    versions,
)
from local_stack.flink_job import PARALLELISM, FlinkJob, JobError, job_arguments
from local_stack.java import require_java_home
from local_stack.job_submission import last_source, local_job
from local_stack.pinot_home import refuse_other_data
from local_stack.preparation import StackError
from local_stack.settings import CHECKOUT, StackSettings
from local_stack.steps import Step, Tell
from local_stack.supervisor import Supervisor
from local_stack.zookeeper import forget_flink, forget_instance, wait_for_pinot

JOB_LOOK_EVERY_S = 10
CLUSTER_LIMIT_S = 180
# Consumers of a thing end before it does.
STOP_ORDER = [
    ["prometheus", "traffic", "gateway", "progress", "audit"],
    ["flink_taskmanager", "flink"],
    ["pinot_server"],
    ["pinot_broker", "pinot_controller", "kafka"],
    ["zookeeper"],
]


@dataclass(frozen=True, slots=True)
class Options:
    """What `./dev up` was asked for. `rate` is in events a second, 0 for none; with `auth`, nobody is anonymous."""

    rate: int
    embedded: bool = False
    auth: bool = False
    in_background: bool = False
    observe: bool = False
    after_outage: bool = False


@dataclass(frozen=True, slots=True)
class Stack:
    """One stack about to start or running under `supervisor`."""

    settings: StackSettings
    supervisor: Supervisor
    environment: Mapping[str, str]

    def steps(self, options: Options) -> list[Step]:
        """All steps from nothing to a running stack."""
        known = Step("credentials", partial(self._issue, options.auth))
        if options.embedded:
            gateway = parts.gateway(self.settings, "duckdb", auth=options.auth)
            ready = ("pages", "credentials")
            return [
                known,
                Step("pages", self._fetch_pages),
                self._part_step(gateway, ready),
                *self._observing(options, ("gateway",)),
            ]
        tools = part.Toolbox(require_java_home(self.environment))
        forget = partial(forget_instance, self.settings.zookeeper)
        up, all_of, several = self._part_step, self._all_of, self.settings.instances
        nodes = [parts.kafka(each, tools) for each in several("kafka")]
        pinot = pinot_parts.pinot(self.settings, tools, forget)
        gateways = [parts.gateway(each, auth=options.auth) for each in several("gateway")]
        watching = [
            *(parts.progress(each) for each in several("progress")),
            *(parts.audit(each) for each in several("audit")),
        ]
        return [
            Step("configuration", self._render),
            Step("storage", partial(self._format_kafka, tools), ("configuration",)),
            up(parts.zookeeper(self.settings, tools), ("configuration",)),
            *(up(each, ("storage",)) for each in nodes),
            *(up(each, pinot_parts.needs(each)) for each in pinot),
            Step(pinot_parts.CLUSTER, self._pinot_cluster, ("zookeeper",)),
            Step("snapshots", partial(self._forget_recovery, options), ("zookeeper",)),
            *(up(each, ("snapshots",)) for each in flink_parts.flink(self.settings, tools)),
            known,
            *(up(each, (*all_of("pinot_broker"), "credentials")) for each in gateways),
            *([Step("access", self._access, all_of("kafka"))] if self.settings.secure else []),
            Step("topics", self._topics, ("access",) if self.settings.secure else all_of("kafka")),
            Step("tables", self._tables, ("topics", *(each.name for each in pinot))),
            Step("checks", self._check_configuration, ("tables", "flink")),
            Step(
                "job",
                partial(self._job, options),
                ("topics", "flink", *all_of("flink_taskmanager")),
            ),
            *(up(each, ("tables", "job")) for each in watching),
            *([up(parts.traffic(self.settings, options.rate), ("job",))] if options.rate else []),
            # Last, so that nothing is missed that only has not started yet.
            *self._observing(options, (*all_of("gateway"), *(each.name for each in watching))),
        ]

    def _all_of(self, kind: str) -> tuple[str, ...]:
        return tuple(each.part_name(kind) for each in self.settings.instances(kind))

    def _observing(self, options: Options, needs: tuple[str, ...]) -> list[Step]:
        if not options.observe:
            return []
        watching = observing.prometheus(self.settings, embedded=options.embedded, auth=options.auth)
        return [self._part_step(watching, needs)]

    def flink_job(self, source: Path = CHECKOUT, *, after_outage: bool = False) -> FlinkJob:
        return local_job(
            self.settings,
            Path(sys.executable),
            self._child_environment(),
            lambda: self.supervisor.stopping,
            source,
            after_outage=after_outage,
        )

    def keep_job(self) -> None:
        """Submit the job again whenever Flink has none; for a thread of its own, once it was submitted."""
        while not self.supervisor.stopped_within(JOB_LOOK_EVERY_S):
            # As it was submitted last: files that have changed since are not in place before an upgrade.
            job = self.flink_job(last_source(self.settings))
            try:
                with versions.changing(self.settings.data / "flink") as allowed:
                    if allowed and job.active() is None:
                        self.supervisor.tell("Flink has no job; submitting it again")
                        self.supervisor.tell(f"the job is {job.ensure()}")
            except (JobError, subprocess.SubprocessError) as problem:
                self.supervisor.tell(f"the job does not run: {problem}")
            except (httpx.HTTPError, KazooException, KazooTimeoutError):
                continue  # Flink or ZooKeeper is away: their own restart is told
            finally:
                job.rest.close()

    def stop(self) -> None:
        """End everything: the job with a savepoint first, then each part."""
        if "flink" in self.supervisor.run.parts:
            self.supervisor.begin_stop()
            self.flink_job().stop_with_savepoint()
        names = list(self.supervisor.run.parts)
        self.supervisor.stop(
            [[name for name in names if part.kind_of(name) in tier] for tier in STOP_ORDER]
        )

    def _pinot_cluster(self, _: Tell) -> str:
        maker = "pinot_controller"

        def in_vain(seconds: float) -> bool:
            return self.supervisor.stopped_within(seconds) or self.supervisor.ended(maker)

        if not wait_for_pinot(self.settings.zookeeper, in_vain, CLUSTER_LIMIT_S):
            log = self.supervisor.log_file(maker)
            raise StackError(f"no Pinot controller leads: see {log}")
        return "a controller leads"

    def _part_step(self, each: part.Part, needs: tuple[str, ...]) -> Step:
        def action(_: Tell) -> str:
            self.supervisor.bring_up(each)
            return each.address

        return Step(each.name, action, needs)

    def _render(self, _: Tell) -> str:
        if self.settings.secure:
            secure.issue(self.settings, datetime.now(UTC))
            self.settings.data.mkdir(parents=True, exist_ok=True)
            self.settings.secure_mark.touch()
        if self.settings.cluster:
            self.settings.data.mkdir(parents=True, exist_ok=True)
            self.settings.cluster_mark.touch()
        parts.render(self.settings)
        flink_parts.link_flink_library(self.settings)
        parts.empty_temporary(self.settings)
        self._refuse_moved_pinot()
        refuse_other_data(self.settings)
        for folder in ("ha", "checkpoints", "savepoints", "stops"):
            (self.settings.data / "flink" / folder).mkdir(parents=True, exist_ok=True)
        return str(self.settings.rendered)

    def _refuse_moved_pinot(self) -> None:
        """Raise StackError if Pinot's ports are not those that its data was made with."""
        ports = {name: port for name, port in self.settings.ports().items() if "PINOT" in name}
        file = self.settings.data / "pinot/ports.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        if file.is_file() and json.loads(file.read_text()) != ports:
            raise StackError(
                "Pinot's data names its servers by their ports, and these were others: "
                f"{file.read_text()}. Set them again, or start over with ./dev up --fresh."
            )
        file.write_text(json.dumps(ports))

    def _forget_recovery(self, options: Options, _: Tell) -> str:
        """Let Flink forget the job that it would recover, if that one was stopped with a savepoint.

        Or if it was away for longer than Kafka keeps its transactions: Flink would go on without a word.
        """
        newest = snapshots.newest(self.settings.data / "flink")
        stopped = snapshots.stop_savepoint(self.settings.data / "flink")
        away_s = snapshots.age_s(newest) if newest else 0
        too_long = away_s >= self.settings.job_transaction_timeout_s
        if stopped is None and not (too_long or options.after_outage):
            return "Flink recovers what ran"
        forget_flink(self.settings.zookeeper)
        shutil.rmtree(self.settings.data / "flink/ha", ignore_errors=True)
        return f"{newest.name} is the newest" if newest else "there is none"

    def _format_kafka(self, tools: part.Toolbox, _: Tell) -> str:
        with ThreadPoolExecutor() as pool:
            nodes = self.settings.instances("kafka")
            return ", ".join(pool.map(partial(self._format_node, tools), nodes))

    def _format_node(self, tools: part.Toolbox, node: StackSettings) -> str:
        if (self.settings.data / f"kafka{node.folder_suffix}/meta.properties").is_file():
            return "kept"
        self._run(parts.kafka_format_command(node, tools), "Kafka's storage tool")
        return "new"

    def _access(self, _: Tell) -> str:
        from local_stack.kafka_users import give_passwords

        users = give_passwords(self.settings)
        command = [sys.executable, "-m", "stream_jobs.topics.acls"]
        command += ["--kafka", secure.kafka_servers(self.settings, "admin")]
        said = _summary(self._run(command, "Applying the ACLs", "admin"))
        return f"{users} passwords; ACLs: {said}"

    def _topics(self, _: Tell) -> str:
        command = [sys.executable, "-m", "stream_jobs.topics"]
        command += ["--kafka", secure.kafka_servers(self.settings, "admin")]
        command += ["--environment", self.settings.environment]
        return _summary(self._run(command, "Creating the topics", "admin"))

    def _tables(self, _: Tell) -> str:
        command = [sys.executable, "-m", "pinot_config.apply"]
        command += ["--controller", self.settings.pinot_controller_urls]
        command += ["--kafka", self.settings.kafka_servers]
        for name, value in self.settings.table_values.items():
            command += ["--set", f"{name}={value}"]
        return _summary(self._run(command, "Creating the tables", "pinot", "admin"))

    def _check_configuration(self, _: Tell) -> str:
        """What the job checks of itself and Kafka whenever it starts, and Pinot's tables as well."""
        last = snapshots.submitted(self.settings.data / "flink")
        arguments = job_arguments(self.settings, last.parallelism if last else PARALLELISM)
        command = [sys.executable, "-m", "stream_jobs.job.check", *arguments]
        command += ["--pinot-controller", self.settings.pinot_controller_urls]
        self._run(command, "Checking the configuration", "job", "job")
        return "nothing could be lost or doubled"

    def _job(self, options: Options, tell: Tell) -> str:
        tell("planning and submitting")
        return self.flink_job(after_outage=options.after_outage).ensure()

    def _fetch_pages(self, tell: Tell) -> str:
        if preparation.prepare_pages(self.settings, self.environment, tell):
            return "ready"
        return "not whole: they say themselves what is missing"

    def _issue(self, required: bool, _: Tell) -> str:
        credentials.issue(self.settings, datetime.now(UTC), required=required)
        return str(credentials.files(self.settings).demo)

    def _run(self, command: list[str], what: str, kafka: str = "", pinot: str = "") -> str:
        """What a command says; with what these users of Kafka and of Pinot log in by."""
        access = {
            **(secure.kafka_environment(self.settings, kafka) if kafka else {}),
            **(secure.pinot_environment(self.settings, pinot) if pinot else {}),
        }
        said = subprocess.run(
            command,
            env={**self._child_environment(), **access},
            cwd=CHECKOUT,
            capture_output=True,
            text=True,
            timeout=180,
        )
        if said.returncode != 0:
            raise StackError(f"{what} failed:\n{(said.stdout + said.stderr).strip()[-2000:]}")
        return said.stdout.strip()

    def _child_environment(self) -> dict[str, str]:
        added = {
            "JAVA_HOME": str(require_java_home(self.environment)),
            processes.MARKER: self.supervisor.owner,
        }
        return part.child_environment(self.environment, added)


def _summary(said: str) -> str:
    """How many things a command created, altered or left: `4 created, 2 unchanged`."""
    outcomes = Counter(line.rsplit(" ", 1)[-1] for line in said.splitlines() if line[:1].strip())
    return ", ".join(f"{count} {outcome}" for outcome, count in sorted(outcomes.items()))
