"""The commands behind `./dev`."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from local_stack import credentials, run_file, settings, status, up
from local_stack.settings import CHECKOUT, StackSettings
from local_stack.stack import Options

DEFAULT_RATE = 500
USAGE = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code (2: usage or nothing to talk to)."""
    options, rest = _parser().parse_known_args(arguments)
    passed_on = ("test", "bench", "mutate", "simulate", "chaos", "verify", "repair", "keys")
    if rest and options.command not in passed_on:
        _parser().error(f"unrecognised arguments: {' '.join(rest)}")
    # Lines are not broken: they are copied, searched and logged.
    console = Console(soft_wrap=True)
    try:
        stack_settings = settings.from_environment(os.environ)
    except settings.SettingsError as problem:
        console.print(f"[red]{escape(str(problem))}[/]")
        return USAGE
    if options.command == "up":
        return _up(console, stack_settings, options)
    if options.command == "down":
        return up.down(console, stack_settings)
    if options.command == "upgrade":
        return _upgrade(console, stack_settings, options)
    if options.command == "status":
        return _status(console, stack_settings, as_json=options.json)
    if options.command == "logs":
        return _logs(console, stack_settings, options.part, follow=not options.no_follow)
    if options.command == "docs":
        return _docs()
    if options.command in ("verify", "produce", "repair"):
        return _on_running_stack(console, stack_settings, options, rest)
    return _tool(stack_settings, options.command, rest)


def _up(console: Console, stack_settings: StackSettings, options: argparse.Namespace) -> int:
    if options.rate < 0:
        console.print("[red]--rate is a number of events a second, 0 or more.[/]")
        return USAGE
    rate = 0 if options.no_load or options.embedded else options.rate
    if options.detach:
        flags = [
            flag for flag in ("fresh", "no_load", "embedded", "auth") if getattr(options, flag)
        ]
        arguments = ["--rate", str(options.rate), *("--" + f.replace("_", "-") for f in flags)]
        return up.up_detached(console, stack_settings, arguments, os.environ)
    return up.up(
        console,
        stack_settings,
        os.environ,
        Options(rate, options.embedded, options.auth, options.in_background),
        fresh=options.fresh,
    )


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
    from local_stack import readme

    print("README.md changed" if readme.write() else "README.md is current")
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
    command = [sys.executable, "-P", "-m", f"stream_jobs.{options.command}"]
    command += ["--kafka", stack_settings.kafka_servers]
    if options.command == "verify":
        headers = str(credentials.files(stack_settings).tools)
        command += ["--graphql", f"{stack_settings.gateway_url}/graphql", "--headers", headers]
        command += rest
    elif options.command == "repair":
        command += rest
    else:
        command += [options.file if options.file == "-" else str(Path(options.file).resolve())]
    return _run(command)


def _tool(stack_settings: StackSettings, command: str, rest: list[str]) -> int:
    if command == "keys":
        kept = os.environ.get("GATEWAY_AUTH_KEYS") or str(credentials.files(stack_settings).keys)
        return _run([sys.executable, "-P", "-m", "gateway.auth.keys", "--store", kept, *rest])
    if command == "test":
        return _run([sys.executable, "-m", "pytest", *rest])
    if command in MODULES:
        return _run([sys.executable, "-m", MODULES[command], *rest])
    tools = Path(sys.executable).parent
    for tool, *words in CHECKS:
        print("$", tool, *words, flush=True)
        code = _run([str(tools / tool), *words])
        if code != 0:
            return code
    return 0


MODULES = {
    "bench": "tests.load",
    "chaos": "tests.chaos",
    "mutate": "tests.mutation",
    "simulate": "tests.simulation",
}
CHECKS = (
    ("ruff", "format", "--check", "."),
    ("ruff", "check", "."),
    ("mypy",),
    ("lint-imports",),
    (
        "pytest",
        "-q",
        "-n",
        "auto",
        "--maxprocesses",
        "4",
        "tests/unit",
        "tests/contract",
        "tests/simulation",
    ),
)


def _run(command: list[str]) -> int:
    try:
        return subprocess.run(command, cwd=CHECKOUT, check=False).returncode
    except KeyboardInterrupt:
        return 130


def _some(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="./dev",
        description="Payment analytics: the local stack, its tests and its benchmarks.",
        epilog="Ports and folders are settings: see STACK_* in README.md.",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    add = commands.add_parser
    one = add("up", help="start everything, from an empty machine to a first answer")
    one.add_argument("--fresh", action="store_true", help="start without the data of earlier runs")
    one.add_argument(
        "--rate",
        type=int,
        default=DEFAULT_RATE,
        metavar="N",
        help="sample events a second (%(default)s)",
    )
    one.add_argument("--no-load", action="store_true", help="no sample traffic")
    one.add_argument("--detach", action="store_true", help="return once it runs")
    one.add_argument(
        "--embedded", action="store_true", help="only the gateway, on sample data in DuckDB"
    )
    one.add_argument(
        "--auth", action="store_true", help="refuse requests that come without a credential"
    )
    one.add_argument("--in-background", action="store_true", help=argparse.SUPPRESS)
    add("keys", help="create, list, rotate and revoke API keys", add_help=False)
    add("down", help="stop everything; data stays")
    one = add("upgrade", help="put the job's code in place of the running one, with its state")
    one.add_argument("--parallelism", type=_some, metavar="N", help="how many run side by side")
    one.add_argument(
        "--source", type=Path, default=CHECKOUT, help="the checkout to take the job from: this one"
    )
    one = add("status", help="addresses and health of each part")
    one.add_argument("--json", action="store_true", help="for programs")
    one = add("logs", help="follow the log of a part")
    one.add_argument("part", metavar="PART")
    one.add_argument("--no-follow", action="store_true", help="print its end and return")
    add(
        "verify", help="recount the raw topic and compare with what GraphQL answers", add_help=False
    )
    add("repair", help="write the entries that are missing in an interval", add_help=False)
    one = add("produce", help="send events from a JSON-lines file to the transactions topic")
    one.add_argument("file", metavar="FILE", help="a file, or - for standard input")
    add("test", help="the whole suite, on the real stack; takes pytest's arguments", add_help=False)
    add("check", help="format, lint, types, import contracts, unit and contract tests")
    add(
        "simulate",
        help="the cache and its guards through thousands of schedules on a virtual clock",
        add_help=False,
    )
    add(
        "mutate",
        help="faults planted into the modules that guard; their tests must notice (by hand: takes long)",
        add_help=False,
    )
    add("docs", help="write the README's tables from the code")
    add("bench", help="a benchmark; without a name, the list of them", add_help=False)
    add(
        "chaos", help="faults under load on a stack of its own; nothing may be lost", add_help=False
    )
    return parser


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
