"""Applies the ACLs of `acls.yaml` to a cluster; safe to run twice. Whoever runs it is a superuser of the brokers.

What the parts' principals may do beyond the file is taken from them; of other principals nothing is touched.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from stream_jobs.topics.access import checked
from stream_jobs.topics.acls.applying import KafkaAcls
from stream_jobs.topics.acls.rules import AclChanges, changes, parts, wanted
from stream_jobs.topics.admin import KafkaUnreachableError
from stream_jobs.topics.names import add_arguments, names_of


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0: as wanted now; 1: refused or unreachable; 2: usage."""
    parser = argparse.ArgumentParser(prog="python -m stream_jobs.topics.acls", description=__doc__)
    parser.add_argument("--kafka", required=True, metavar="SERVERS", help="host:port,…")
    parser.add_argument(
        "--principal",
        action="append",
        default=[],
        metavar="PART=NAME",
        help="whom a part logs in as, if not by its own name; repeatable",
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="say what would change, change nothing"
    )
    add_arguments(parser)
    given = parser.parse_args(arguments)
    checked(parser, given.kafka)
    file = parts()
    try:
        names = names_of(given)
        told = dict(pair.split("=", 1) for pair in given.principal)
    except ValueError as mistake:
        parser.error(str(mistake))
    if unknown := sorted(told.keys() - file.keys()):
        parser.error(f"there is no part {unknown[0]}; there are {', '.join(file)}")
    suffix = f"-{given.pipeline}" if given.pipeline else ""
    principals = {part: f"User:{told.get(part, part + suffix)}" for part in file}
    try:
        kafka = KafkaAcls(given.kafka)
        change = changes(wanted(file, names, principals), kafka.live(), tuple(principals.values()))
        if not given.dry_run:
            kafka.apply(change)
    except KafkaUnreachableError as refusal:
        print(f"stream_jobs.topics.acls: {refusal}", file=sys.stderr)
        return 1
    print(_as_text(change, dry_run=given.dry_run))
    return 0


def _as_text(change: AclChanges, *, dry_run: bool) -> str:
    would = "would be " if dry_run else ""
    lines = [f"{acl}: {would}allowed" for acl in change.missing]
    lines += [f"{acl}: {would}taken back" for acl in change.superfluous]
    return "\n".join(lines) or "acls: unchanged"


if __name__ == "__main__":
    sys.exit(main())
