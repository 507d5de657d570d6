"""What one pipeline calls its job, its topics and its tables, as arguments of whatever runs in it."""

from __future__ import annotations

import argparse
import re
from dataclasses import dataclass, fields, replace
from typing import Final

_SUFFIX = re.compile(r"[a-z0-9]{1,32}").fullmatch


@dataclass(frozen=True, slots=True)
class LeaseNames:
    """The consumer group and the transactional id of those of whom one publishes into a topic."""

    group: str
    transactional_id: str
    topic: str


@dataclass(frozen=True, slots=True)
class Names:
    """One pipeline's names. `job` is also the prefix of its transactional ids; another's would fence it off."""

    job: str = "account-entries"
    group: str = "account-entries-job"
    transactions_topic: str = "transactions"
    heartbeat_topic: str = "pipeline-heartbeat"
    entries_topic: str = "account-entries"
    rejected_topic: str = "transactions-rejected"
    uncounted_topic: str = "transactions-uncounted"
    progress_topic: str = "pipeline-progress"
    audit_topic: str = "pipeline-audit"
    erasures_topic: str = "erasures"
    erased_rows_topic: str = "erased-rows"
    erased_outcomes_topic: str = "erased-outcomes"
    entries_table: str = "account_entries"
    rejected_table: str = "transactions_rejected"
    progress_table: str = "pipeline_progress"
    audit_table: str = "pipeline_audit"

    @property
    def tracker_lease(self) -> LeaseNames:
        """By which of several trackers works."""
        return LeaseNames(f"{self.group}-tracker", f"{self.job}-tracker", self.progress_topic)

    @property
    def audit_lease(self) -> LeaseNames:
        """By which of several audits tells."""
        return LeaseNames(f"{self.group}-audit", f"{self.job}-audit", self.audit_topic)

    @property
    def outcomes(self) -> tuple[str, str, str]:
        """The topics that the outcomes of raw records are written to."""
        return self.entries_topic, self.rejected_topic, self.uncounted_topic

    @property
    def tables(self) -> dict[str, str]:
        """The tables that the job's topics are read into, by topic."""
        return {
            self.entries_topic: self.entries_table,
            self.rejected_topic: self.rejected_table,
        }

    @property
    def called(self) -> dict[str, str]:
        """What this pipeline calls each topic and each table, by what the first one calls it."""
        return {
            getattr(NAMES, each.name): getattr(self, each.name)
            for each in fields(self)
            if each.name.endswith(("_topic", "_table"))
        }


NAMES: Final = Names()
# What is of raw records is of every pipeline: they all read the same.
_OF_ALL: Final = ("transactions_topic", "erased_outcomes_topic")


def beside(suffix: str) -> Names:
    """The names of a pipeline that stands beside the first one and reads the same events."""
    if not _SUFFIX(suffix):
        raise ValueError(
            f"a pipeline's name has 1 to 32 lower-case letters and digits, not {suffix!r}"
        )
    own = {
        each.name: getattr(NAMES, each.name)
        + ("_" if each.name.endswith("table") else "-")
        + suffix
        for each in fields(Names)
        if each.name not in _OF_ALL
    }
    return replace(NAMES, **own)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`--pipeline SUFFIX` for all names at once, and an option for each of them."""
    names = parser.add_argument_group("names", "where a second pipeline stands beside the first")
    names.add_argument(
        "--pipeline",
        metavar="SUFFIX",
        help="appended to all names but those of all pipelines: the raw topic's and erased-outcomes",
    )
    for each in fields(Names):
        option = "--" + each.name.replace("_", "-")
        names.add_argument(option, metavar="NAME", help=f"default: {each.default}")


def names_of(given: argparse.Namespace) -> Names:
    """The names out of parsed arguments. Raises ValueError for a suffix that is none."""
    names = beside(given.pipeline) if given.pipeline else NAMES
    told = {each.name: getattr(given, each.name) for each in fields(Names)}
    return replace(names, **{name: value for name, value in told.items() if value is not None})
