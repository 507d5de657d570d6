"""An account's id out of the archive: files that hold it are written anew with a pseudonym, and cover what they covered."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from stream_jobs.archive.columns import ERASED, EXACT, packed, records_of
from stream_jobs.archive.layout import Part
from stream_jobs.archive.store import Store
from stream_jobs.audit.announced import fingerprint
from stream_jobs.audit.outcomes import source_of
from stream_jobs.audit.readers import Headers, Record
from stream_jobs.events.erased_outcomes import ErasedOutcome
from stream_jobs.events.erased_text import Replacement
from stream_jobs.topics.names import Names

# What may hold an id that is not spelt there as it is: JSON's \u0061, and the raw bytes of rejected events.
_HIDING: Final = ("\\u", '_base64":')


@dataclass(frozen=True, slots=True)
class Erased:
    """How many records of how many files hold an id, or held it."""

    files: int
    records: int


def without(record: Record, replacement: Replacement, *, keyed_by_account: bool = False) -> Record:
    """The record without the id: but for it, and for how JSON spells it, byte for byte as it was."""
    key = (replacement.account if keyed_by_account else replacement.content)(record.key)
    headers: Headers | None = None
    if record.headers is not None:
        headers = [(name, replacement.content(value)) for name, value in record.headers]
    return record._replace(key=key, value=replacement.content(record.value), headers=headers)


Announce = Callable[[Sequence[ErasedOutcome]], None]
"""Has those know who compare outcomes with raw records, before any topic can be filled with them."""


def erase(
    store: Store, names: Names, replacement: Replacement, announce: Announce | None
) -> dict[str, Erased]:
    """By topic, whichever pipeline's is archived; without `announce` nothing is changed. Begun again it goes on."""
    found = {}
    for topic in dict.fromkeys((names.transactions_topic, *names.outcomes, *store.topics())):
        changed = [
            _erase(store, part, replacement, announce)
            for partition in store.partitions(topic)
            for part in store.parts(topic, partition)
        ]
        found[topic] = Erased(sum(each > 0 for each in changed), sum(changed))
    return found


def _erase(
    store: Store,
    part: Part,
    replacement: Replacement,
    announce: Announce | None,
) -> int:
    with store.open(part) as file:
        opened = pq.ParquetFile(file)
        before = int((opened.schema_arrow.metadata or {}).get(ERASED, b"0"))
        table = opened.read()
    said = pa.schema([each for each in table.schema if each.name not in EXACT.names])
    may_hold = _may_hold(table, replacement.account_id)
    if not any(may_hold):
        return 0
    records = list(records_of(part, table))
    keyed = "account_id" in said.names
    rewritten = [
        without(record, replacement, keyed_by_account=keyed) if maybe else record
        for record, maybe in zip(records, may_hold, strict=True)
    ]
    changed = [pair for pair in zip(records, rewritten, strict=True) if pair[0] != pair[1]]
    if changed and announce:
        if "kafka_offset" in said.names:
            announce([told for pair in changed if (told := _outcome(*pair))])
        store.put(part, packed(part, rewritten, said, before + len(changed)), "erased")
    return len(changed)


def _outcome(was: Record, now: Record) -> ErasedOutcome | None:
    """What changed of an outcome; None of what is none."""
    source = source_of(was.value)
    return source and ErasedOutcome(*source, fingerprint(was.value), fingerprint(now.value))


def _may_hold(table: pa.Table, account_id: str) -> Sequence[bool]:
    spelt = {
        account_id,
        json.dumps(account_id)[1:-1],
        json.dumps(account_id, ensure_ascii=False)[1:-1],
    }
    headers = table.column("headers").combine_chunks().flatten()
    columns = [(table.column(name), {*spelt, *_HIDING}) for name in ("key", "value")]
    if _any_of(headers.field("value"), spelt):
        return [True] * len(table)
    masks = [
        pc.fill_null(pc.match_substring(column, each), False)
        for column, patterns in columns
        for each in patterns
    ]
    found = masks[0]
    for mask in masks[1:]:
        found = pc.or_(found, mask)
    told: list[bool] = found.to_pylist()
    return told


def _any_of(column: pa.Array, patterns: set[str]) -> bool:
    found = (pc.any(pc.match_substring(column, each)).as_py() for each in patterns)
    return any(bool(each) for each in found)
