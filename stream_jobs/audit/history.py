"""Whether what counted may have counted: each id once, duplicates of something, reversals of what they say.

It is asked after every closing, about what was closed. What looks wrong is looked at again once everything that the
job had committed by then is closed too, since the first of two records may lie in a partition that is read later; and
then exactly, in Pinot, since ids are remembered by 61 bits (suspects.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from stream_jobs.audit.expected import Expected
from stream_jobs.audit.findings import Kind
from stream_jobs.audit.ids import Ids, key_of
from stream_jobs.audit.outcomes import DUPLICATE, REJECTED
from stream_jobs.audit.suspects import Suspect
from stream_jobs.topics.offsets import Offsets

# A transfer that counted, with its content; a reversal that counted; the reversal of a transfer, with its own id.
TRANSFER, REVERSAL, REVERSED = "T", "R", "V"
_Doubt = tuple[Expected, Kind, str]


class History:
    """Remembers ids for the dedup window, and judges closings by them."""

    def __init__(self, ids: Ids) -> None:
        self._ids = ids
        self.duplicates = 0
        self.conflicts = 0

    def closed(
        self, outcomes: Sequence[Expected], committed: Offsets, now_ms: int
    ) -> list[Suspect]:
        """Take what a closing decided, and say what looks wrong; `committed` is how far the job had come by then."""
        transfers = [each for each in outcomes if each.counted and not each.is_reversal]
        reversals = [each for each in outcomes if each.counted and each.is_reversal]
        looks_wrong = [
            *self._count_once(transfers, TRANSFER, now_ms),
            *self._count_once(reversals, REVERSAL, now_ms),
            *self._judge_reversals(reversals, now_ms),
            *self._judge_uncounted([each for each in outcomes if not each.counted]),
        ]
        return [Suspect(each, kind, why, committed) for each, kind, why in looks_wrong]

    def _count_once(self, counted: Sequence[Expected], what: str, now_ms: int) -> list[_Doubt]:
        keys = [key_of(what, each.id) for each in counted]
        known = self._ids.find(keys)
        fresh: dict[int, int] = {}
        found: list[_Doubt] = []
        for each, key in zip(counted, keys, strict=True):
            if key in known or key in fresh:
                found.append((each, Kind.DOUBLED, "another record of its id has counted"))
            fresh[key] = each.content
        self._ids.add(fresh, now_ms)
        return found

    def _judge_reversals(self, reversals: Sequence[Expected], now_ms: int) -> list[_Doubt]:
        undone = {key_of(REVERSED, each.reverses): key_of(REVERSAL, each.id) for each in reversals}
        known = self._ids.find([*undone, *(key_of(TRANSFER, each.reverses) for each in reversals)])
        seen: dict[int, int] = {}
        found: list[_Doubt] = []
        for each in reversals:
            key, own = key_of(REVERSED, each.reverses), key_of(REVERSAL, each.id)
            original = known.get(key_of(TRANSFER, each.reverses))
            if original is None:
                found.append((each, Kind.UNKNOWN, "the transfer it reverses has not counted"))
            elif original != each.content:
                found.append((each, Kind.UNKNOWN, "the transfer it reverses differs"))
            if known.get(key, own) != own or seen.get(key, own) != own:
                found.append((each, Kind.UNKNOWN, "the transfer was reversed before"))
            seen[key] = own
        self._ids.add({**seen}, now_ms)
        return found

    def _judge_uncounted(self, uncounted: Sequence[Expected]) -> list[_Doubt]:
        """A duplicate has something that it is one of; what is held or rejected has a reason in what counted."""
        events = [each for each in uncounted if each.event is not None]
        known = self._ids.find([key for each in events for key in keys_about(each)])
        return [
            (each, Kind.LOST, why) for each in events if (why := self._unexplained(each, known))
        ]

    def _unexplained(self, each: Expected, known: Mapping[int, int]) -> str:
        what = REVERSAL if each.is_reversal else TRANSFER
        original = known.get(key_of(TRANSFER, each.reverses)) if each.is_reversal else None
        if each.outcome == DUPLICATE:
            self.duplicates += 1
            first = known.get(key_of(what, each.id))
            if first is None and not each.is_reversal:
                return "it is called a duplicate, and nothing of its id has counted"
            self.conflicts += first is not None and first != each.content
        elif not each.final and original == each.content:
            return "it is held, although the transfer it reverses has counted"
        elif (
            each.outcome == REJECTED
            and original == each.content
            and key_of(REVERSED, each.reverses) not in known
        ):
            return "it is rejected, although it is the first that fits its transfer"
        return ""


def keys_about(each: Expected) -> list[int]:
    """Everything that may be known of an event and, if it is a reversal, of its transfer; nothing of what is none."""
    if each.is_reversal:
        undone = each.reverses
        return [key_of(REVERSAL, each.id), key_of(TRANSFER, undone), key_of(REVERSED, undone)]
    return [] if each.event is None else [key_of(TRANSFER, each.id)]
