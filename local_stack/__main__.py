"""The commands behind `./dev`."""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import NoReturn

from rich.console import Console
from rich.markup import escape

from local_stack import (
    credentials,
    environment,
    erasing,
    jars,
    on_kubernetes,
    prerequisites,
    run_file,
    secure,
    status,
    suite,
    up,
)
from local_stack.needed import USAGE, needed, parsed
from local_stack.pinot_home import PinotHomeError, pinot_home
from local_stack.settings import CHECKOUT, StackSettings
from local_stack.several import PROFILES
from local_stack.stack import Options


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code (2: usage or nothing to talk to)."""
    options, rest = parsed(arguments)
    # Lines are not broken: they are copied, searched and logged.
    console = Console(soft_wrap=True)
    try:
        stack_settings = environment.from_environment(os.environ)
        _provide(console, needed(options, rest, jars.missing(stack_settings.jars)))
    except (environment.SettingsError, prerequisites.MissingError) as problem:
        console.print(f"[red]{escape(str(problem))}[/]", highlight=False)
        return USAGE
    if options.secure if options.command == "up" else stack_settings.secure:
        # What this process itself looks at Kafka by.
        tools = dataclasses.replace(stack_settings, secure=True)
        os.environ.update(secure.environment(tools, "tools"))
    commands: dict[str, Callable[[], int]] = {
        "up": lambda: _up(console, stack_settings, options),
        "down": lambda: up.down(console, stack_settings),
        "upgrade": lambda: _upgrade(console, stack_settings, options),
        "status": lambda: _status(console, stack_settings, as_json=options.json),
        "logs": lambda: _logs(console, stack_settings, options.part, follow=not options.no_follow),
        "docs": _docs,
        "check": lambda: suite.check(_told, tests=not options.no_tests),
        "test": lambda: suite.test(rest, _told, partial(on_kubernetes.run_here, os.environ)),
    }
    if options.command in commands:
        return commands[options.command]()
    if options.command in STREAM_TOOLS:
        return _on_running_stack(console, stack_settings, options, rest)
    return _tool(stack_settings, options.command, rest)


def _provide(console: Console, wanted: Sequence[prerequisites.Prerequisite]) -> None:
    """Look at all that a command needs before it starts anything."""
    prerequisites.provide(
        wanted,
        prerequisites.this_machine(),
        lambda line: console.print(line, highlight=False, markup=False),
    )


def _up(console: Console, stack_settings: StackSettings, options: argparse.Namespace) -> int:
    if options.rate < 0:
        console.print("[red]--rate is a number of events a second, 0 or more.[/]")
        return USAGE
    stack_settings, refusal = _as_asked(stack_settings, options)
    if refusal:
        console.print(f"[red]{escape(refusal)}[/]", highlight=False)
        return USAGE
    rate = 0 if options.no_load or options.embedded else options.rate
    if options.detach:
        flags = [
            flag
            for flag in (
                "fresh",
                "no_load",
                "embedded",
                "auth",
                "secure",
                "cluster",
                "observe",
                "after_outage",
            )
            if getattr(options, flag)
        ]
        arguments = ["--rate", str(options.rate), *("--" + f.replace("_", "-") for f in flags)]
        if options.pinot_home:
            arguments += ["--pinot-home", str(options.pinot_home.resolve())]
        return up.up_detached(console, stack_settings, arguments, os.environ)
    return up.up(
        console,
        stack_settings,
        os.environ,
        Options(
            rate,
            options.embedded,
            options.auth,
            options.in_background,
            options.observe,
            options.after_outage,
        ),
        fresh=options.fresh,
    )


def _as_asked(
    stack_settings: StackSettings, options: argparse.Namespace
) -> tuple[StackSettings, str]:
    """The settings for `up`, and why it is refused: data that was made otherwise is not opened."""
    home = options.pinot_home.resolve() if options.pinot_home else stack_settings.pinot_home
    asked = dataclasses.replace(
        stack_settings, secure=options.secure, cluster=options.cluster, pinot_home=home
    )
    if options.embedded:
        unfit = [f"--{name}" for name in PROFILES if getattr(options, name)]
        said = f"{unfit[0]} is for Kafka and Pinot, which --embedded has not." if unfit else ""
        return asked, said
    try:
        environment.refuse_shared_ports(asked)
        pinot_home(asked)
    except (environment.SettingsError, PinotHomeError) as problem:
        return asked, str(problem)
    if not options.fresh and (stack_settings.data / "kafka").is_dir():
        for name in PROFILES:
            if getattr(options, name) is not getattr(stack_settings, name):
                without = "with" if getattr(stack_settings, name) else "without"
                return asked, (
                    f"The data was made {without} --{name}: start so again, or without it by --fresh."
                )
    return asked, ""


def _upgrade(console: Console, stack_settings: StackSettings, options: argparse.Namespace) -> int:
    from local_stack.upgrade import upgrade

    source = options.source.resolve()
    return upgrade(console, stack_settings, os.environ, source, options.parallelism)


def _status(console: Console, stack_settings: StackSettings, *, as_json: bool) -> int:
    if as_json:
        print(json.dumps(status.report(stack_settings), indent=2))
    else:
        status.show(console, stack_settings)
    return 0


def _docs() -> int:
    from local_stack import dashboards, tables

    print(*[*tables.write(), *dashboards.write()] or ["Everything is current."], sep="\n")
    return 0


def _logs(console: Console, stack_settings: StackSettings, part: str, *, follow: bool) -> int:
    log = stack_settings.logs / f"{part}.log"
    if not log.is_file():
        known = ", ".join(sorted(file.stem for file in stack_settings.logs.glob("*.log")))
        console.print(
            f"[red]There is no log of {escape(repr(part))}.[/] There are: {known or 'none yet'}."
        )
        return USAGE
    command = ["tail", "-n", "100", *(["-F"] if follow else []), str(log)]
    try:
        return subprocess.run(command, check=False).returncode
    except KeyboardInterrupt:
        return 0


def _on_running_stack(
    console: Console, stack_settings: StackSettings, options: argparse.Namespace, rest: list[str]
) -> int:
    run = run_file.live(stack_settings.run_file)
    if run is None or run.embedded:
        why = "The stack is down." if run is None else "The embedded stack has no Kafka."
        console.print(f"[red]{why}[/] Start it first: ./dev up")
        return USAGE
    command = [sys.executable, "-P", "-m", STREAM_TOOLS[options.command]]
    part = "producer" if options.command == "produce" else "tools"
    part = options.command if options.command in ("repair", "erase", "archive") else part
    command += ["--kafka", secure.kafka_servers(stack_settings, part)]
    if stack_settings.secure:
        os.environ.update(secure.environment(stack_settings, part))
    if options.command == "verify":
        headers = str(credentials.files(stack_settings).tools)
        command += ["--graphql", f"{stack_settings.gateway_url}/graphql", "--headers", headers]
        command += [*stack_settings.event_arguments, *stack_settings.erasure_key_arguments, *rest]
    elif options.command == "repair":
        command += ["--controller", stack_settings.pinot_controller_urls]
        command += ["--broker", stack_settings.pinot_broker_urls]
        command += [*stack_settings.event_arguments, *stack_settings.erasure_key_arguments, *rest]
    elif options.command == "erase":
        command += [*erasing.arguments(stack_settings, os.environ), *rest]
    elif options.command == "archive":
        command += ["--archive", str(stack_settings.archive)]
        command += ["--controller", stack_settings.pinot_controller_urls]
        command += ["--broker", stack_settings.pinot_broker_urls, *rest]
    elif options.command == "rejects":  # its file is where the caller is
        return _become([*command, *stack_settings.event_arguments, *rest], Path.cwd())
    else:
        command += [options.file if options.file == "-" else str(Path(options.file).resolve())]
    return _become(command)


def _tool(stack_settings: StackSettings, command: str, rest: list[str]) -> NoReturn:
    if command == "keys":
        kept = os.environ.get("GATEWAY_AUTH_KEYS") or str(credentials.files(stack_settings).keys)
        _become([sys.executable, "-P", "-m", "gateway.access.auth.keys", "--store", kept, *rest])
    _become([sys.executable, "-m", MODULES[command], *rest])


STREAM_TOOLS = {
    "archive": "stream_jobs.archive",
    "erase": "stream_jobs.erasure",
    "produce": "stream_jobs.tools.produce",
    "rejects": "stream_jobs.tools.rejects",
    "repair": "stream_jobs.audit.repair",
    "verify": "stream_jobs.tools.verify",
}
MODULES = {
    "bench": "tests.load",
    "chaos": "tests.chaos",
    "images": "local_stack.images",
    "mutate": "tests.mutation",
    "picture": "tests.clients.picture",
    "simulate": "tests.simulation",
}


def _told(command: list[str]) -> int:
    print("$", *command, flush=True)
    try:
        return subprocess.run(command, cwd=CHECKOUT, check=False).returncode
    except KeyboardInterrupt:
        return 130


def _become(command: list[str], folder: Path = CHECKOUT) -> NoReturn:
    """Go on as the command, so that whoever ends `./dev` ends it."""
    os.chdir(folder)
    sys.stdout.flush()
    os.execv(command[0], command)  # noqa: S606 - what is run are our own modules


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
