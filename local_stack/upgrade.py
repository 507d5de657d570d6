"""`./dev upgrade`: the job's new version in place of the running one, with its state, or all as it was before."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import httpx
from kazoo.exceptions import KazooException
from kazoo.handlers.threading import KazooTimeoutError
from rich.console import Console
from rich.markup import escape

from local_stack import part, processes, run_file, secure, snapshots, versions
from local_stack.duplicate_probe import Counted, DuplicateProbe, ProbeError
from local_stack.flink_job import PARALLELISM, FlinkJob, JobError, job_arguments
from local_stack.java import require_java_home
from local_stack.job_submission import last_source, local_job
from local_stack.settings import StackSettings
from stream_jobs.events.settings import EventRules
from stream_jobs.topics.kafka_offsets import KafkaOffsetsError

CHECKPOINT_LIMIT_S = 90.0
Tell = Callable[[str], None]
FAULTS = (JobError, ProbeError, KafkaOffsetsError, httpx.HTTPError, KeyError, ValueError)


class UpgradeError(Exception):
    """The new version is not in place; the message says what runs instead."""


@dataclass(frozen=True, slots=True)
class Upgrade:
    """From `before`, the version that runs, to `after`. `tell` takes a line for each step.

    `check(parallelism)` raises JobError if the new version's configuration could lose or double money.
    """

    before: FlinkJob
    after: FlinkJob
    check: Callable[[int], None]
    probe: DuplicateProbe
    tell: Tell

    def run(self, parallelism: int | None) -> None:
        """Raises UpgradeError; then the version of before runs again, unless the message says otherwise."""
        last = snapshots.submitted(self.before.folder)
        had = last.parallelism if last else PARALLELISM
        wanted = parallelism or had
        self._refuse_impossible(wanted)
        self.check(wanted)
        self.tell("stopping the job with a savepoint")
        began = time.monotonic()
        savepoint = self.before.stop_with_savepoint()
        if savepoint is None:
            raise UpgradeError("No savepoint could be taken; the job goes on as it was.")
        self.tell(f"{savepoint.name} taken after {time.monotonic() - began:.1f} s")
        try:
            counted = self.probe.counted()
            self._start(savepoint, wanted)
            self.tell(f"nothing was read for {time.monotonic() - began:.1f} s")
            self._check_memory(counted)
        except FAULTS as problem:
            self.tell(f"the new version does not do: {str(problem).splitlines()[0]}")
            self._go_back(had, problem)
        snapshots.sweep(self.after.folder)

    def _refuse_impossible(self, parallelism: int) -> None:
        if self.before.active() is None:
            raise UpgradeError("Flink runs no job to upgrade; ./dev status and ./dev up tell more.")
        slots = self.before.slots()
        if parallelism > slots:
            raise UpgradeError(
                f"Flink has {slots} slots, so it cannot run {parallelism} side by side; the job goes on as "
                "it was. `numberOfTaskSlots` is in local_stack/conf/flink-config.yaml."
            )

    def _start(self, savepoint: Path, parallelism: int) -> None:
        self.tell(f"starting version {self.after.digest[:12]} from it, {parallelism} side by side")
        job = self.after.start_from(savepoint, parallelism)
        self.after.wait_running(job, patient=False)
        restored = self.after.checkpoints(job)["restored"]
        if not restored or not str(restored["external_path"]).endswith(savepoint.name):
            raise JobError(f"The job runs, but says that it was restored from {restored}.")
        deadline = time.monotonic() + CHECKPOINT_LIMIT_S
        while not self.after.checkpoints(job)["completed"]:
            if time.monotonic() > deadline:
                raise JobError(f"No checkpoint completed within {CHECKPOINT_LIMIT_S:.0f} s.")
            time.sleep(0.2)
        self.tell("it runs, restored, and its first checkpoint is complete")

    def _check_memory(self, counted: Counted) -> None:
        probed = self.probe.check(counted)
        self.tell(
            f"{probed} ids counted before were sent again: none was counted again"
            if probed
            else "no event was counted before, so no memory could be checked"
        )

    def _go_back(self, parallelism: int, why: Exception) -> None:
        """Start the version of before from the newest snapshot: the savepoint, unless the new version got on.

        Raises UpgradeError in any case.
        """
        try:
            job = self.after.active()
            if job is not None:
                self.after.adopt(job)
                self.after.cancel(job)
            restore = snapshots.newest(self.before.folder)
            self.tell(f"going back: the version of before, from {restore.name if restore else ''}")
            self.before.wait_running(self.before.start_from(restore, parallelism))
        except (*FAULTS, KazooException, KazooTimeoutError) as problem:
            raise UpgradeError(
                f"{why}\nThe new version did not start, and the one before neither: {problem}\nAll state is "
                "kept: ./dev down, put the code back as it was, ./dev up."
            ) from problem
        raise UpgradeError(f"{why}\nThe version of before runs again, with its state.") from why


def upgrade(
    console: Console,
    settings: StackSettings,
    environment: Mapping[str, str],
    source: Path,
    parallelism: int | None,
) -> int:
    """Exit code 0: the new version runs; 1: it does not, with what runs instead; 2: no stack."""
    run = run_file.live(settings.run_file)
    if run is None or run.embedded or run.phase != "running":
        console.print("[red]No stack is up, so no job runs.[/] Start it first: ./dev up")
        return 2
    if not (source / "stream_jobs/job/__main__.py").is_file():
        console.print(f"[red]{escape(str(source))} holds no stream_jobs/job/__main__.py.[/]")
        return 2

    def tell(line: str) -> None:
        console.print(f"{time.strftime('%H:%M:%S')} {escape(line)}", highlight=False)

    with versions.changing(settings.data / "flink") as allowed:
        if not allowed:
            console.print("[red]The job is being started or stopped right now; try again.[/]")
            return 1
        before, after = (
            _job(settings, environment, each) for each in (last_source(settings), source)
        )
        try:
            probe = DuplicateProbe(settings.kafka_servers, EventRules(settings.currency or None))
            check = partial(_check, settings, environment, source)
            Upgrade(before, after, check, probe, tell).run(parallelism)
        except (UpgradeError, *FAULTS) as problem:
            console.print(f"[red]{escape(str(problem))}[/]", highlight=False)
            return 1
    console.print("Upgraded.")
    return 0


def _check(
    settings: StackSettings, environment: Mapping[str, str], source: Path, parallelism: int
) -> None:
    """Raises JobError with the problems that the version in `source` finds in its configuration."""
    command = [sys.executable, "-P", "-m", "stream_jobs.job.check"]
    command += job_arguments(settings, parallelism)
    command += ["--pinot-controller", settings.pinot_controller_url]
    added = {"PYTHONPATH": str(source), **secure.environment(settings, "job")}
    child = part.child_environment(environment, added)
    said = subprocess.run(command, env=child, capture_output=True, text=True, timeout=120)
    if said.returncode != 0:
        raise JobError(f"{said.stderr.strip()[-2000:]}\nThe job goes on as it was.")


def _job(settings: StackSettings, environment: Mapping[str, str], source: Path) -> FlinkJob:
    added = {
        "JAVA_HOME": str(require_java_home(environment)),
        processes.MARKER: f"{settings.run_file}",
    }
    child = part.child_environment(environment, added)
    return local_job(settings, Path(sys.executable), child, lambda: False, source)
