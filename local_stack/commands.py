"""The words of the command line: each command with its options and what it does, and the table of them."""

from __future__ import annotations

import argparse
from pathlib import Path

from local_stack.settings import CHECKOUT

DEFAULT_RATE = 500
PASSED_ON = (
    *(
        "test",
        "bench",
        "mutate",
        "simulate",
        "chaos",
        "verify",
        "repair",
        "erase",
        "archive",
        "rejects",
        "keys",
    ),
    "images",
)
"""Commands whose options are read by the program that they start."""


class _Commands:
    """The subcommands of a parser, each told in one sentence and perhaps some more."""

    def __init__(self, parser: argparse.ArgumentParser) -> None:
        self._added = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def add(self, name: str, short: str, more: str = "") -> argparse.ArgumentParser:
        """A command whose options stand here."""
        return self._added.add_parser(name, help=short, description=_sentence(short, more))

    def pass_on(self, name: str, options: str, short: str, more: str = "") -> None:
        """A command whose options stand with the program that it starts; `options` for the table."""
        self._added.add_parser(
            name,
            help=short,
            description=_sentence(short, more),
            usage=f"./dev {name} {options}".rstrip(),
            add_help=False,
        )

    @property
    def known(self) -> dict[str, argparse.ArgumentParser]:
        return dict(self._added.choices)


def parser() -> argparse.ArgumentParser:
    """All of it, as argparse takes it."""
    return _built()[0]


def names() -> list[str]:
    """All commands."""
    return list(_built()[1].known)


def markdown_table() -> str:
    """All commands as a Markdown table."""
    lines = ["| command | what it does |", "|---|---|"]
    for each in _built()[1].known.values():
        usage = " ".join(each.format_usage().removeprefix("usage: ").split())
        shown = usage.replace("[-h] ", "").replace(" [-h]", "").replace("|", "\\|")
        lines.append(f"| `{shown}` | {each.description} |")
    return "\n".join(lines) + "\n"


def _built() -> tuple[argparse.ArgumentParser, _Commands]:
    whole = argparse.ArgumentParser(
        prog="./dev",
        description="Payment analytics: the local stack, its tests and its benchmarks.",
        epilog="Ports and folders are settings: see STACK_* in docs/settings.md.",
    )
    commands = _Commands(whole)
    _stack(commands)
    _data(commands)
    _checks(commands)
    _kubernetes(commands)
    _papers(commands)
    return whole, commands


def _stack(commands: _Commands) -> None:
    one = commands.add(
        "up",
        "start everything, from an empty machine to a first answer",
        "Ctrl-C stops all of it",
    )
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
    one.add_argument(
        "--secure",
        action="store_true",
        help="Kafka and Pinot with TLS, credentials and ACLs, by a certificate authority of its own",
    )
    one.add_argument(
        "--cluster",
        action="store_true",
        help="several of each part, as in production: three Kafka nodes, two of Flink's and Pinot's, two gateways",
    )
    one.add_argument(
        "--pinot-home",
        type=Path,
        metavar="DIR",
        help="run the Pinot that lies there, an unpacked distribution or a folder of jars, not the fetched one",
    )
    one.add_argument("--observe", action="store_true", help="Prometheus beside it, with the alarms")
    one.add_argument(
        "--after-outage",
        action="store_true",
        help="start the job from its last snapshot, however old, without what its sinks still had to commit",
    )
    one.add_argument("--in-background", action="store_true", help=argparse.SUPPRESS)
    one = commands.add("status", "addresses, health and restarts of each part")
    one.add_argument("--json", action="store_true", help="for programs")
    commands.add("down", "stop everything", "data stays")
    one = commands.add("logs", "follow the log of a part")
    one.add_argument("part", metavar="PART")
    one.add_argument("--no-follow", action="store_true", help="print its end and return")
    one = commands.add(
        "upgrade",
        "put the job's code in place of the running one, with its state",
        "back again if it does not do",
    )
    one.add_argument("--parallelism", type=_some, metavar="N", help="how many run side by side")
    one.add_argument(
        "--source",
        type=Path,
        default=CHECKOUT,
        metavar="FOLDER",
        help="the checkout to take the job from: this one",
    )


def _data(commands: _Commands) -> None:
    commands.pass_on(
        "keys",
        "create|list|rotate|revoke …",
        "create, list, rotate and revoke API keys",
        "a running gateway knows within two seconds",
    )
    one = commands.add("produce", "send events from a JSON-lines file to the transactions topic")
    one.add_argument("file", metavar="FILE", help="a file, or - for standard input")
    commands.pass_on(
        "verify",
        "[--accounts N] [--seed S] [--json]",
        "recount the raw topic in plain Python and compare with what GraphQL answers",
        "`exact`, or the differences and exit code 1",
    )
    commands.pass_on(
        "repair",
        "--from INSTANT --to INSTANT [--apply]",
        "say which entries are missing in an interval of event time, or write exactly them",
    )
    commands.pass_on(
        "erase",
        "ACCOUNT [--apply]",
        "say where Pinot has an account's id, or put a pseudonym in its place",
        "everybody's totals stay, and it is recorded without the id",
    )
    commands.pass_on(
        "archive",
        "follow|check|fill|compare …",
        "write all that Kafka has down as Parquet files, prove them whole, fill another pipeline's topics from them",
        "an empty Pinot is filled so, and compared with them to the last digit",
    )
    commands.pass_on(
        "rejects",
        "list|fix FILE|replay FILE …",
        "list rejected events, write them to a file to correct, send the corrected ones again",
        "with their time, key and headers, once, and with a record of who did",
    )


def _checks(commands: _Commands) -> None:
    commands.pass_on(
        "test",
        "[pytest's arguments]",
        "the whole suite, on the real Kafka, Flink and Pinot",
        "what needs none of these runs first, on all cores, and last what of tests/kubernetes there is helm and a cluster "
        "for; by name only: tests/long (the secured stack, long outages, a second pipeline; 12 minutes); --pinot-home=DIR "
        "for another Pinot than the fetched one",
    )
    check = commands.add("check", "format, lint, types, import contracts, unit and contract tests")
    check.add_argument("--no-tests", action="store_true", help="all but the tests")
    commands.pass_on(
        "simulate",
        "[--seeds N] [--replay SEED]",
        "the cache and its guards through thousands of schedules on a virtual clock",
    )
    commands.pass_on(
        "mutate",
        "[MODULE …] [--list]",
        "faults planted into the modules that guard money, scope, cache key and limits",
        "their tests must notice; takes a quarter of an hour and more",
    )
    commands.pass_on(
        "chaos",
        "[--seed S] [--faults N] [--minutes M] [--only KIND] [--list]",
        "faults under load on a stack of its own",
        "nothing may be lost, doubled or answered wrong",
    )
    commands.pass_on(
        "bench",
        "[NAME …|all [--quick]]",
        "a benchmark, side by side with what else one could use, or all of them in one table",
        "without a name, the list of them",
    )


def _kubernetes(commands: _Commands) -> None:
    commands.pass_on(
        "images",
        "[NAME …] [--demo] [--tag TAG] [--registry NAME] [--base IMAGE] [--sbom FOLDER] [--save FOLDER]",
        "build the container images that the chart runs",
        "by docker, podman or buildah, whichever is there",
    )


def _papers(commands: _Commands) -> None:
    commands.add("docs", "write the tables of the documentation, and the dashboards, from the code")
    commands.add(
        "picture", "take the README's picture anew, of the live page in a headless Chromium"
    )


def _sentence(short: str, more: str) -> str:
    said = f"{short}; {more}" if more else short
    return f"{said[0].upper()}{said[1:]}."


def _some(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number
