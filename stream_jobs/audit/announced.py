"""What erasures have announced of archived outcomes, so that one filled from an archive is known by its pseudonym.

It is read only once an outcome differs, and then as far as it goes: an erasure announces what it changes before any
topic can be filled with it. What was read lies in a file without a name, which is gone with the process.
"""

from __future__ import annotations

import sqlite3
from typing import Final

import orjson

from stream_jobs.audit.expected import Expected
from stream_jobs.audit.outcomes import REJECTED, Source, Told, parsed, told_of
from stream_jobs.audit.sums import SEPARATOR, hashed
from stream_jobs.audit.told_entry import ErasedEntry, told_entry
from stream_jobs.events.erased_outcomes import of_value
from stream_jobs.topics.read_on import Readable, ReadOn
from stream_jobs.topics.reader import Record

SCHEMA: Final = """
PRAGMA journal_mode = OFF;
CREATE TABLE announced (
  partition INT, offset INT, was INT, now INT, pseudonym TEXT, PRIMARY KEY (partition, offset, was, now)) WITHOUT ROWID;
"""


class Announced:
    """The records of one topic, in the thread that makes it."""

    def __init__(self, kafka: Readable, topic: str) -> None:
        self.read_on = ReadOn(kafka, topic, self._take)
        # Of an empty name: on the disk, as there may be millions, and nobody else's.
        self._db = sqlite3.connect("")
        self._db.executescript(SCHEMA)

    def pseudonyms(self, source: Source, was: int, now: int) -> frozenset[str]:
        """Those that led an outcome of a raw record from one hash to another, one erasure after the other; if none did, none."""
        found = {was: frozenset[str]()}
        steps = self._db.execute(
            "SELECT was, now, pseudonym FROM announced WHERE partition = ? AND offset = ?", source
        ).fetchall()
        left = [was]
        while left:
            at = left.pop()
            for before, after, pseudonym in steps:
                if before == at and after not in found:
                    found[after] = found[at] | {pseudonym}
                    left.append(after)
        return found.get(now, frozenset())

    def entry(self, value: bytes | None, expected: Expected) -> ErasedEntry | None:
        """What an entry tells that differs from its raw record by announced pseudonyms alone; None of any other."""
        if expected.event is None:
            return None
        body = parsed(value)
        as_it_was = expected.entry(body.get("direction"))
        hashes = fingerprint_of_entry(as_it_was), fingerprint_of_entry(value)
        names = self.pseudonyms(expected.source, *hashes)
        if not names:
            return None
        # What announced it may have changed more than it should have.
        return told_entry(value, expected, lambda _: names)

    def explains(self, told: Told, expected: Expected) -> bool:
        """Whether a record was rejected as it must be, but for announced pseudonyms in its payload."""
        if expected.rejection is None or told.reason != expected.rejection.reason.value:
            return False
        hashes = fingerprint_of(expected.refused), fingerprint_of(told)
        return bool(self.pseudonyms(expected.source, *hashes))

    def _take(self, record: Record) -> None:
        erased = of_value(record.value or b"")
        with self._db:
            self._db.executemany(
                "INSERT OR REPLACE INTO announced VALUES (?, ?, ?, ?, ?)",
                ((*each, erased.pseudonym) for each in erased.outcomes),
            )


def fingerprint(value: bytes | None) -> int:
    """The hash of what is compared of an entry or a rejected record, in 63 bits, as SQLite's numbers have no more."""
    told = told_of(value)
    return fingerprint_of(told) if told.outcome == REJECTED else fingerprint_of_entry(value)


def fingerprint_of_entry(value: bytes | None) -> int:
    """Of all its fields, however JSON spells them."""
    return hashed(orjson.dumps(parsed(value)).decode()) >> 1


def fingerprint_of(told: Told) -> int:
    """Of a rejected record."""
    return hashed(SEPARATOR.join(told)) >> 1
