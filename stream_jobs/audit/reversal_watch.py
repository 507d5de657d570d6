"""What the audit has to know of transfers to judge their reversals, and who is told of those that are held."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from stream_jobs.audit.matching import Matching
from stream_jobs.audit.outcome import Outcome
from stream_jobs.audit.reversal_fates import Fate, Originals
from stream_jobs.audit.reversal_judge import originals_of
from stream_jobs.audit.reversal_table import HELD_LONG_MS
from stream_jobs.audit.rows import Transfer, id_text
from stream_jobs.audit.state import State
from stream_jobs.dedup_window import DedupWindow
from stream_jobs.event_rules import MAX_REVERSALS

TOLD_IDS: Final = 20

log = logging.getLogger("audit")


class ReversalWatch:
    """Beside the auditor's loop, with its state and its open ids."""

    def __init__(
        self, state: State, matching: Matching, clock_ms: Callable[[], int], window: DedupWindow
    ) -> None:
        self._state = state
        self._matching = matching
        self._clock_ms = clock_ms
        self._window = window
        self._held = state.reversals.held()
        self._told_ms = 0

    def wake(self, outcome: Outcome) -> None:
        """Have reversals judged anew whose transfers were counted."""
        for id_, (original, fate) in outcome.reversals.items():
            if fate is Fate.HELD:
                self._held[id_] = original
            else:
                self._held.pop(id_, None)
        awake = [id_ for id_, original in self._held.items() if original in outcome.counted]
        if awake:
            self._bring(awake)
            self._matching.wake(awake)

    def remember_originals(
        self, events: Iterable[tuple[bytes, Transfer]], surely: Mapping[bytes, int]
    ) -> None:
        """A reversal makes the job remember its transfer for a whole window again.

        Not so a duplicate of it: the job drops that before it gets as far. `surely` has the ids that are known.
        """
        originals = {
            each.original
            for id_, each in events
            if each.reverses and id_ not in surely and not self._waits(id_)
        }
        since_ms = self._clock_ms() - self._window.surely_ms
        for id_, content in self._state.known_ids.find(originals, since_ms).items():
            self._matching.remember(id_, content)

    def _waits(self, id_: bytes) -> bool:
        return self._matching.has_event(id_) or self._matching.counted(id_) is not None

    def originals(self, reversals: list[bytes]) -> Originals:
        """What is known of the transfers that some reversals undo; those that are open are in memory then."""
        ids, now_ms = originals_of(self._matching, reversals), self._clock_ms()
        self._bring(ids)
        surely_ms = now_ms - self._window.surely_ms
        judged = self._state.reversals.of(ids)
        of_each = Counter(each.original for each in judged if each.id not in reversals)
        of_each.update(o for id_ in reversals for o in originals_of(self._matching, [id_]))
        return Originals(
            self._state.known_ids.find(ids, now_ms - self._window.perhaps_ms),
            self._state.known_ids.find(ids, surely_ms),
            {each.original: each.id for each in judged if each.fate is Fate.EFFECTIVE},
            frozenset(each for each, count in of_each.items() if count > MAX_REVERSALS),
            frozenset(e.id for e in judged if e.since_ms < surely_ms),
        )

    def _bring(self, ids: list[bytes]) -> None:
        for id_, each in self._state.open_ids.load(ids).items():
            self._matching.open.setdefault(id_, each)

    def tell_held(self) -> None:
        """One line when reversals have come to wait for long that did not before; the newest first."""
        until_ms = self._clock_ms() - HELD_LONG_MS
        new = self._state.reversals.held_between(self._told_ms, until_ms, TOLD_IDS)
        if new:
            held = self._state.reversals.held_before(until_ms)
            log.warning(
                "%d reversals are held for more than %d s, since their transfers have not come; the newest: %s",
                *(held.number, HELD_LONG_MS // 1000, ", ".join(map(id_text, new))),
            )
        self._told_ms = until_ms
