"""Whether a job may go on from a snapshot after it was away for so long, and with which command if not; pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from stream_jobs.topics.offsets import Gap, Offsets

GO_ON: Final = "--after-outage"
# The ids' last use is a little older than the snapshot, and a start takes its time.
MARGIN: Final = timedelta(hours=1)


class LongOutageError(Exception):
    """The job was away for longer than something lasts; the message says for what, and how to go on."""


@dataclass(frozen=True, slots=True)
class Away:
    """How long the job was away, and what it comes back to.

    `unread` has the raw events by kafka partition that were deleted before the job had read them; None: nobody
    knows, since Kafka has forgotten the group's offsets.
    """

    lasted: timedelta
    transaction_timeout: timedelta
    transactional_id_life: timedelta
    outage_reserve: timedelta
    unread: Mapping[int, Gap] | None


def deleted_unread(starts: Offsets, committed: Offsets) -> Mapping[int, Gap] | None:
    """By kafka partition what lies between the job's committed offset and the start of the log; None: not known."""
    if not committed and any(starts.values()):
        return None
    return {
        partition: Gap(committed.get(partition, 0), start)
        for partition, start in starts.items()
        if committed.get(partition, 0) < start
    }


def refuse_after_outage(away: Away) -> None:
    """Raises LongOutageError with all that the outage was too long for, and the command to go on."""
    reasons = list(_reasons(away))
    if reasons:
        told = "\n".join(f"  {reason}" for reason in reasons)
        reserve = max(away.lasted, away.outage_reserve)
        raise LongOutageError(
            f"The snapshot is {_said(away.lasted)} old:\n{told}\n"
            f"Start again with {GO_ON}, which leaves the sinks' pending commits out of the snapshot, and with "
            f"--outage-reserve-s {round(reserve.total_seconds())} until a dedup window has passed. Then write what "
            "is missing: python -m stream_jobs.audit.repair --apply (./dev repair --apply)."
        )


def _reasons(away: Away) -> Iterator[str]:
    margin = min(MARGIN, away.transactional_id_life / 10)
    if away.lasted >= away.transaction_timeout:
        yield (
            f"Kafka has given up transactions of {_said(away.transaction_timeout)} (transaction_timeout): what the "
            "snapshot has promised and not committed is lost without an error."
        )
    if away.lasted + margin >= away.transactional_id_life:
        yield (
            f"The brokers forget transactional ids after {_said(away.transactional_id_life)} "
            "(transactional.id.expiration.ms): the job would fail at every start, since its snapshot names them."
        )
    if away.lasted > away.outage_reserve:
        yield (
            f"Ids are forgotten by the clock, and the reserve for outages is {_said(away.outage_reserve)}: a late "
            "duplicate would count twice."
        )
    yield from _unread(away)


def _unread(away: Away) -> Iterator[str]:
    if away.unread is None:
        yield (
            "Kafka has forgotten which raw events the job had read (offsets.retention.minutes), and has deleted "
            "some: whether unread ones were among them nobody can tell."
        )
    elif away.unread:
        events = sum(gap.end - gap.start for gap in away.unread.values())
        where = ", ".join(
            f"[{p}] {gap.start} to {gap.end}" for p, gap in sorted(away.unread.items())
        )
        yield (
            f"Kafka has deleted {events} raw events before the job had read them ({where}): they are counted only "
            "if their producer sends them again."
        )


def _said(duration: timedelta) -> str:
    """Whole units, two at most: `15 days, 2:00:00` is read worse than `15 d 2 h`."""
    seconds = round(duration.total_seconds())
    parts = []
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)):
        number, seconds = divmod(seconds, size)
        if number:
            parts.append(f"{number} {unit}")
    return " ".join(parts[:2]) or "0 s"
