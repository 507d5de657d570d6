"""What is open of an id, and what came of a batch or a judgement."""

from __future__ import annotations

from dataclasses import dataclass, field

from stream_jobs.audit.findings import Finding
from stream_jobs.audit.intervals import Changes
from stream_jobs.audit.reversal_fates import Fate
from stream_jobs.audit.rows import Entry, Transfer


@dataclass(slots=True)
class Open:
    """An id whose events and entries do not match (yet)."""

    round: int
    candidates: list[Transfer] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    # Known already, but so long ago that the job may have forgotten it: it may count anew, or not.
    optional: bool = False
    # Found wrong: the raw side is in the sums, and only the missing entries can still come.
    judged: bool = False
    # So many of its entries were judged with it.
    told: int = 0
    # A reversal that waits for its transfer.
    held: bool = False
    # A reversal that ought to have entries; its transfer may have come just now.
    suspect: bool = False
    stored: bool = False
    # The file has it otherwise, or not at all.
    dirty: bool = True

    @property
    def fresh(self) -> bool:
        """Whether it has events and was not found wrong yet."""
        return bool(self.candidates) and not self.judged

    @property
    def rests(self) -> bool:
        """Whether nothing is to be judged until something new comes."""
        return self.held or (self.judged and self.told == len(self.entries))


@dataclass(slots=True)
class Outcome:
    """What came of a batch or a judgement, to be written with the offsets in one transaction."""

    changes: Changes = field(default_factory=Changes)
    counted: dict[bytes, int] = field(default_factory=dict)  # id -> content, now known
    closed: set[bytes] = field(default_factory=set)  # ids that are open no more
    healed: set[bytes] = field(default_factory=set)  # of these, ids whose findings are over
    findings: list[Finding] = field(default_factory=list)
    matched: int = 0
    duplicates: int = 0
    conflicts: dict[bytes, None] = field(default_factory=dict)
    reversals: dict[bytes, tuple[bytes, Fate]] = field(default_factory=dict)  # id -> original
