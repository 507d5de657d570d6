"""`./dev up`: start everything, show it running, stop everything on Ctrl-C."""

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

from local_stack import jars, live, run_file, stack
from local_stack.graphql import GraphQLError
from local_stack.java import JavaMissingError
from local_stack.settings import CHECKOUT, StackSettings
from local_stack.stack import Options, Stack, StackError
from local_stack.steps import Board, Step, StepError, Tell, run_steps
from local_stack.supervisor import Supervisor

DETACHED_LIMIT_S = 600
LINE_EVERY_S = 2.0


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
    if already_running(console, settings):
        return 0
    for line in stack.clean_up(settings):
        console.print(f"  ended what an earlier stack left running: {line}", highlight=False)
    try:
        stack.refuse_taken_ports(settings, embedded=options.embedded)
        if fresh:
            shutil.rmtree(settings.data, ignore_errors=True)
        with Board(console) as board:
            if not options.embedded:
                run_steps([_downloads(settings, environment)], board)
    except (StackError, StepError) as problem:
        console.print(f"[red]{problem}[/]", highlight=False)
        return 1
    return _supervise(console, settings, environment, options)


def up_detached(
    console: Console, settings: StackSettings, arguments: list[str], environment: Mapping[str, str]
) -> int:
    """Start the stack in the background and return once it runs (0) or failed (1)."""
    if already_running(console, settings):
        return 0
    log = settings.logs / "up.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        child = subprocess.Popen(
            [sys.executable, "-m", "local_stack", "up", *arguments],
            env={**environment, "PYTHONUNBUFFERED": "1"},
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
                console.print(
                    "It runs in the background: ./dev status, ./dev logs PART, ./dev down"
                )
                return 0
            time.sleep(0.1)
    console.print(f"[red]Not up after {DETACHED_LIMIT_S} s; see {log}, then ./dev down.[/]")
    return 1


def down(console: Console, settings: StackSettings) -> int:
    """Stop the stack, however it was left. Exit code 0 when nothing of it runs any more."""
    run = run_file.live(settings.run_file)
    if run is not None:
        console.print("Stopping: the job takes a savepoint, then each part ends …")
        os.kill(run.supervisor.pid, signal.SIGTERM)
        if not stack.wait_stopped(run, limit_s=90):
            os.kill(run.supervisor.pid, signal.SIGKILL)
    for line in stack.clean_up(settings):
        console.print(f"  ended {line}", highlight=False)
    console.print("Stopped. Its data stays in .local/data for the next ./dev up.")
    return 0


def already_running(console: Console, settings: StackSettings) -> bool:
    """Whether a stack of this checkout is up; says so if it is."""
    run = run_file.live(settings.run_file)
    if run is None:
        return False
    console.print(f"The stack is already up ({run.phase}, process {run.supervisor.pid}):")
    live.show_addresses(console, settings, embedded=run.embedded)
    console.print("./dev status shows its parts, ./dev down stops it.")
    return True


def _downloads(settings: StackSettings, environment: Mapping[str, str]) -> Step:
    def action(tell: Tell) -> str:
        missing = jars.missing(settings.jars)
        stack.prepare(settings, environment, tell)
        return f"fetched {', '.join(missing)}" if missing else "all here"

    return Step("jars", action)


def _supervise(
    console: Console, settings: StackSettings, environment: Mapping[str, str], options: Options
) -> int:
    signal.signal(signal.SIGTERM, _request_stop)
    signal.signal(signal.SIGINT, _request_stop)
    signal.signal(signal.SIGHUP, _request_stop)
    began = time.monotonic()
    supervisor = Supervisor(
        settings.run_file,
        settings.logs,
        environment,
        lambda line: console.print(
            f"{time.strftime('%H:%M:%S')} {line}", highlight=False, markup=False
        ),
        embedded=options.embedded,
    )
    running = Stack(settings, supervisor, environment)
    code = 0
    try:
        threading.Thread(target=supervisor.watch, name="watch", daemon=True).start()
        with Board(console) as board:
            run_steps(running.steps(options), board)
        _greet(console, settings, options, began)
        supervisor.phase("running")
        _show(console, settings, options)
    except _StopRequest:
        console.print("\nStopping: the job takes a savepoint, then each part ends …")
    except (StepError, StackError, JavaMissingError) as problem:
        console.print(f"[red]{problem}[/]", highlight=False)
        code = 1
    finally:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        running.stop()
    console.print("Stopped. Its data stays in .local/data for the next ./dev up.")
    return code


def _greet(console: Console, settings: StackSettings, options: Options, began: float) -> None:
    console.print(f"Up after {time.monotonic() - began:.1f} s:")
    live.show_addresses(console, settings, embedded=options.embedded)
    try:
        top = live.first_answer(settings, traffic=options.rate > 0 or options.embedded)
    except GraphQLError as problem:
        console.print(f"[yellow]{problem}[/] ./dev status and ./dev logs PART tell more.")
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
            line.update(live.pipeline_line(settings, meter) + "   [dim](Ctrl-C stops all)[/]")
            time.sleep(LINE_EVERY_S)


def _request_stop(_number: int, _frame: FrameType | None) -> None:
    raise _StopRequest
