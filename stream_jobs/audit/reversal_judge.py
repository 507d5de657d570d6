"""The verdict on reversals that can change no more, except by a transfer that comes yet."""

from __future__ import annotations

from collections.abc import Iterable

from stream_jobs.audit.matching import Matching, fitting
from stream_jobs.audit.reversal_fates import Fate, Originals, fate
from stream_jobs.audit.rows import is_reversal, likeliest


def originals_of(matching: Matching, ids: Iterable[bytes]) -> list[bytes]:
    """The transfers that these reversals say they undo."""
    return sorted({each.original for id_ in ids for each in matching.open[id_].candidates})


def judge_reversals(matching: Matching, ids: Iterable[bytes], originals: Originals) -> None:
    """Judge reversals that have events and were not judged before.

    Those with entries come first: of two that undo one transfer, the one that shows in the entries is the first.
    What depends on an id that is not judged itself yet is left to the next check.
    """
    for id_ in sorted(ids, key=lambda each: _order(matching, each)):
        matching.open[id_].dirty = True
        if matching.open[id_].entries:
            _judge_entries(matching, id_, originals)
        else:
            _judge_absence(matching, id_, originals)


def _order(matching: Matching, id_: bytes) -> tuple[bool, int, bytes]:
    open_ = matching.open[id_]
    return not open_.entries, likeliest(open_.candidates).time_ms, id_


def _judge_entries(matching: Matching, id_: bytes, originals: Originals) -> None:
    open_ = matching.open[id_]
    reversal = fitting(open_)
    found, why = fate(id_, reversal, originals)
    original = matching.open.get(reversal.original)
    if found is Fate.HELD and original is not None and original.fresh:
        matching.wake([id_])
        return
    if found in (Fate.HELD, Fate.REJECTED):
        matching.surplus(id_, open_.entries, None, why)
        matching.decided(id_, reversal, Fate.REJECTED)
        matching.close(id_)
        return
    originals.effective[reversal.original] = id_
    matching.decided(id_, reversal, Fate.EFFECTIVE)
    if not matching.accept(id_, reversal):
        matching.incomplete(id_)


def _judge_absence(matching: Matching, id_: bytes, originals: Originals) -> None:
    open_ = matching.open[id_]
    fates = {each: fate(id_, each, originals)[0] for each in open_.candidates}
    reversal = likeliest(fates)
    forgotten = id_ in originals.waited and Fate.UNCERTAIN in fates.values()
    if open_.optional:
        matching.close(id_)
    elif Fate.HELD in fates.values() or forgotten:
        open_.held = True
        matching.decided(id_, reversal, Fate.HELD)
    elif set(fates.values()) != {Fate.EFFECTIVE}:
        matching.decided(id_, reversal, Fate.REJECTED)
        matching.close(id_)
    elif not open_.suspect or _has_rival(matching, id_, reversal.original):
        open_.suspect = True
        matching.wake([id_])
    else:
        originals.effective[reversal.original] = id_
        matching.decided(id_, reversal, Fate.EFFECTIVE)
        matching.incomplete(id_)


def _has_rival(matching: Matching, id_: bytes, original: bytes) -> bool:
    """Whether entries that are not judged yet show another reversal of the transfer."""
    return any(
        entry.transfer.reverses and entry.transfer.original == original
        for other, open_ in matching.open.items()
        if is_reversal(other) and other != id_ and not open_.judged
        for entry in open_.entries
    )
