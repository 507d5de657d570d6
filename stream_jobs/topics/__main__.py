"""Applies the Kafka topics' files to a cluster; safe to run twice."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace

from stream_jobs.topics.access import checked
from stream_jobs.topics.admin import KafkaTopicAdmin, KafkaUnreachableError
from stream_jobs.topics.names import add_arguments, names_of
from stream_jobs.topics.topic import (
    Environment,
    PartitionCountError,
    TopicChange,
    apply_topics,
    await_topics,
    load_topics,
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0: as wanted now; 1: refused, unreachable, or waited for in vain; 2: usage."""
    parser = _parser()
    options = parser.parse_args(arguments)
    checked(parser, options.kafka)
    try:
        called = names_of(options).called
    except ValueError as mistake:
        parser.error(str(mistake))
    wanted = [
        replace(topic, name=called.get(topic.name, topic.name))
        for topic in load_topics(options.environment)
    ]
    try:
        admin = KafkaTopicAdmin(options.kafka)
        if options.wait_s is not None:
            return _waited(await_topics(wanted, admin, options.wait_s), options.wait_s)
        _tell(apply_topics(wanted, admin, dry_run=options.dry_run), dry_run=options.dry_run)
    except (KafkaUnreachableError, PartitionCountError) as refusal:
        print(f"stream_jobs.topics: {refusal}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m stream_jobs.topics", description=__doc__)
    parser.add_argument("--kafka", required=True, metavar="SERVERS", help="host:port,…")
    parser.add_argument(
        "--environment", type=Environment, choices=list(Environment), default=Environment.LOCAL
    )
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--dry-run", action="store_true", help="say what would change, change nothing")
    how.add_argument(
        "--wait-s",
        type=float,
        metavar="SECONDS",
        help="change nothing, and wait at most so long until somebody else has applied them",
    )
    add_arguments(parser)
    return parser


def _waited(changes: Sequence[TopicChange], limit_s: float) -> int:
    _tell(changes, dry_run=True)
    if any(each.changed for each in changes):
        print(
            f"stream_jobs.topics: not as the files say after {limit_s:g} s: whoever applies them, an operator of "
            "Kafka for example, has not, or this user may not describe them",
            file=sys.stderr,
        )
        return 1
    return 0


def _tell(changes: Sequence[TopicChange], *, dry_run: bool) -> None:
    for change in changes:
        did = "created" if change.created else "altered" if change.changed else "unchanged"
        print(f"topic {change.name}: {'would be ' if dry_run and change.changed else ''}{did}")
        for line in change.differences:
            print(f"  {line}")


if __name__ == "__main__":
    sys.exit(main())
