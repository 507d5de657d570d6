"""Applies the Kafka topics' files to a cluster; safe to run twice."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace

from stream_jobs.topics.access import checked
from stream_jobs.topics.admin import KafkaTopicAdmin, KafkaUnreachableError
from stream_jobs.topics.names import add_arguments, names_of
from stream_jobs.topics.topic import Environment, PartitionCountError, apply_topics, load_topics


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0: as wanted now; 1: refused or unreachable; 2: usage."""
    parser = argparse.ArgumentParser(prog="python -m stream_jobs.topics", description=__doc__)
    parser.add_argument("--kafka", required=True, metavar="SERVERS", help="host:port,…")
    parser.add_argument(
        "--environment", type=Environment, choices=list(Environment), default=Environment.LOCAL
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="say what would change, change nothing"
    )
    add_arguments(parser)
    options = parser.parse_args(arguments)
    checked(parser, options.kafka)
    try:
        called = names_of(options).called
    except ValueError as mistake:
        parser.error(str(mistake))
    try:
        changes = apply_topics(
            [
                replace(topic, name=called.get(topic.name, topic.name))
                for topic in load_topics(options.environment)
            ],
            KafkaTopicAdmin(options.kafka),
            dry_run=options.dry_run,
        )
    except (KafkaUnreachableError, PartitionCountError) as refusal:
        print(f"stream_jobs.topics: {refusal}", file=sys.stderr)
        return 1
    for change in changes:
        did = "created" if change.created else "altered" if change.changed else "unchanged"
        print(
            f"topic {change.name}: {'would be ' if options.dry_run and change.changed else ''}{did}"
        )
        for line in change.differences:
            print(f"  {line}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
