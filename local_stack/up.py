"""`./dev up` and `./dev down`: start everything, show it running, stop everything."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from types import FrameType

from rich.console import Console
from rich.markup import escape

from local_stack import live, preparation, run_file
from local_stack.graphql import GraphQLError
from local_stack.preparation import StackError
from local_stack.settings import CHECKOUT, StackSettings
from local_stack.stack import Options, Stack
from local_stack.steps import Board, Step, StepError, Tell, run_steps
from local_stack.supervisor import Supervisor

DETACHED_LIMIT_S = 1800  # the downloads of a slow line are in it
STOP_LIMIT_S = 240  # a savepoint and every part's patience
LINE_EVERY_S = 2.0
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class _StopRequest(Exception):  # noqa: N818 - no error: it ends the wait
    """SIGTERM or Ctrl-C."""


def up(
    console: Console,
    settings: StackSettings,
    environment: Mapping[str, str],
    options: Options,
    *,
    fresh: bool,
) -> int:
    """Run the stack in the foreground until Ctrl-C. Exit code: 0 stopped, 1 did not come up."""
    if run_file.take_lock(settings.run_file, patience_s=1) is None:
        show_running(console, settings)
        return 0
    for line in preparation.clean_up(settings):
        console.print(f"  ended what an earlier stack left running: {escape(line)}")
    supervisor = Supervisor(
        settings.run_file,
        settings.logs,
        environment,
        lambda line: console.print(f"{time.strftime('%H:%M:%S')} {escape(line)}", highlight=False),
        embedded=options.embedded,
    )
    _stop_on_signals(console, supervisor)
    code = 0
    try:
        preparation.refuse_taken_ports(settings, embedded=options.embedded, observe=options.observe)
        preparation.put_logs_away(settings)
        if fresh:
            _put_data_away(settings)
        _run(console, Stack(settings, supervisor, environment), options)
    except _StopRequest:
        pass
    except (StepError, StackError) as problem:
        if not supervisor.stopping:
            console.print(f"[red]{escape(str(problem))}[/]", highlight=False)
            code = 1
    finally:
        for number in SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        Stack(settings, supervisor, environment).stop()
    console.print(f"Stopped. Its data stays in {settings.data} for the next ./dev up.")
    return code


def up_detached(
    console: Console, settings: StackSettings, arguments: list[str], environment: Mapping[str, str]
) -> int:
    """Start the stack in the background and return once it runs (0) or failed (1)."""
    if run_file.is_locked(settings.run_file):
        show_running(console, settings)
        return 0
    required = "--auth" in arguments
    log = settings.logs / preparation.UP_LOG
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        child = subprocess.Popen(
            [sys.executable, "-P", "-m", "local_stack", "up", "--in-background", *arguments],
            env={
                **environment,
                "STACK_STATE": str(settings.state),
                "PYTHONPATH": str(CHECKOUT),
                "PYTHONUNBUFFERED": "1",
            },
            cwd=CHECKOUT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    with log.open() as lines:
        deadline = time.monotonic() + DETACHED_LIMIT_S
        while time.monotonic() < deadline:
            console.print(lines.read(), end="", highlight=False, markup=False)
            run = run_file.read(settings.run_file)
            if child.poll() is not None:
                console.print(lines.read(), end="", highlight=False, markup=False)
                return child.returncode or 1
            if run is not None and run.supervisor.pid == child.pid and run.phase == "running":
                console.print(lines.read(), end="", highlight=False, markup=False)
                # From here, not from the child: what it prints is kept as a log.
                live.show_credentials(console, settings, required=required)
                console.print(
                    "It runs in the background: ./dev status, ./dev logs PART, ./dev down"
                )
                return 0
            time.sleep(0.1)
    console.print(
        f"[red]Not up after {DETACHED_LIMIT_S} s; see {escape(str(log))}, then ./dev down.[/]"
    )
    return 1


def down(console: Console, settings: StackSettings) -> int:
    """Stop the stack, however it was left. Exit code 0 when nothing of it runs any more."""
    run = run_file.live(settings.run_file)
    if run is not None:
        console.print("Stopping: the job takes a savepoint, then each part ends …")
        os.kill(run.supervisor.pid, signal.SIGTERM)
        if not preparation.wait_stopped(settings, STOP_LIMIT_S):
            os.kill(run.supervisor.pid, signal.SIGKILL)
    for line in preparation.clean_up(settings):
        console.print(f"  ended {escape(line)}")
    console.print(f"Stopped. Its data stays in {settings.data} for the next ./dev up.")
    return 0


def show_running(console: Console, settings: StackSettings) -> None:
    """Say that a stack of this checkout is up, and where."""
    run = run_file.live(settings.run_file)
    who = f"{run.phase}, process {run.supervisor.pid}" if run else "just starting"
    console.print(f"The stack is already up ({who}):")
    embedded = run.embedded if run else False
    observed = run is not None and "prometheus" in run.parts
    live.show_addresses(console, settings, embedded=embedded, observed=observed)
    console.print("./dev status shows its parts, ./dev down stops it.")


def _run(console: Console, running: Stack, options: Options) -> None:
    """Bring everything up, show it, and return only by a signal or an error."""
    settings, supervisor = running.settings, running.supervisor
    with Board(console) as board:
        if not options.embedded:
            run_steps([_downloads(running)], board)
        supervisor.phase("starting")
        began = time.monotonic()
        threading.Thread(target=supervisor.watch, name="watch", daemon=True).start()
        run_steps(running.steps(options), board)
    if not options.embedded:
        threading.Thread(target=running.keep_job, name="keep-job", daemon=True).start()
    _greet(console, settings, options, began)
    supervisor.phase("running")
    _show(console, settings, options)


def _downloads(running: Stack) -> Step:
    def action(tell: Tell) -> str:
        missing = preparation.to_fetch(running.settings)
        preparation.prepare(running.settings, running.environment, tell)
        return f"fetched {', '.join(missing)}" if missing else "all here"

    return Step("jars", action)


def _put_data_away(settings: StackSettings) -> None:
    """Remove all data. It is renamed first: a removal that is interrupted must not leave a part of it."""
    if settings.data.exists():
        settings.data.rename(settings.data.with_name(f"data.old-{os.getpid()}"))
    for old in settings.state.glob("data.old-*"):
        shutil.rmtree(old, ignore_errors=True)


def _greet(console: Console, settings: StackSettings, options: Options, began: float) -> None:
    console.print(f"Up after {time.monotonic() - began:.1f} s:")
    live.show_addresses(console, settings, embedded=options.embedded, observed=options.observe)
    if not options.in_background:
        live.show_credentials(console, settings, required=options.auth)
    try:
        top = live.first_answer(settings, traffic=options.rate > 0 or options.embedded)
    except GraphQLError as problem:
        console.print(
            f"[yellow]{escape(str(problem))}[/] ./dev status and ./dev logs PART tell more."
        )
        return
    if top is None:
        console.print("No events yet: ./dev produce FILE sends some.")
        return
    live.show_top(console, top)
    console.print(f"first answer {time.monotonic() - began:.1f} s after the start", highlight=False)


def _show(console: Console, settings: StackSettings, options: Options) -> None:
    """Until a signal comes: on a terminal, one line that keeps itself current."""
    if options.embedded or not console.is_terminal:
        while True:
            signal.pause()
    meter = live.EventMeter(settings)
    with console.status("…", spinner="dots") as line:
        while True:
            said = escape(live.pipeline_line(settings, meter))
            line.update(f"{said}   [dim](Ctrl-C stops all)[/]")
            time.sleep(LINE_EVERY_S)


def _stop_on_signals(console: Console, supervisor: Supervisor) -> None:
    def request_stop(_number: int, _frame: FrameType | None) -> None:
        if supervisor.stopping:
            return
        # At once, so that steps under way end their waits.
        supervisor.begin_stop()
        console.print("\nStopping: the job takes a savepoint, then each part ends …")
        raise _StopRequest

    for number in SIGNALS:
        signal.signal(number, request_stop)
