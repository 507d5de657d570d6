"""What became of the reversals in a recount: told from all of them together, once all are known; pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from stream_jobs.dedup_window import DEFAULT, DedupWindow, met
from stream_jobs.event_rules import MAX_REVERSALS, RejectReason


class Sides(NamedTuple):
    """What a reversal repeats of its transfer; `amount` in units of 10^-8."""

    from_account_id: str
    to_account_id: str
    amount: int


class Claim(NamedTuple):
    """One occurrence of a reversal."""

    original: bytes
    sides: Sides
    time_ms: int


@dataclass(frozen=True, slots=True)
class Fates:
    """The reversals that took effect, those that were rejected by reason, and how many are held.

    `forgotten` are held too: their transfers came, but longer before or after than the job remembers.
    """

    effective: dict[bytes, Claim] = field(default_factory=dict)
    rejected: Counter[str] = field(default_factory=Counter)
    held: int = 0
    forgotten: int = 0


class Original(NamedTuple):
    """A transfer as it counts, and when it came, duplicates included."""

    sides: Sides
    times_ms: tuple[int, ...]


class Reversals:
    """Takes them in the order of each kafka partition, as the recount does."""

    def __init__(self, window: DedupWindow = DEFAULT) -> None:
        self._window = window
        self._claims: dict[bytes, dict[int, Claim]] = {}
        self._effective: dict[bytes, tuple[bytes, Claim]] = {}

    def add(self, id_: bytes, partition: int, claim: Claim) -> bool:
        """One occurrence; whether its id is new."""
        claims = self._claims.setdefault(id_, {})
        claims.setdefault(partition, claim)
        return len(claims) == 1 and claims[partition] is claim

    def contested(self, original_of: Callable[[bytes], Original | None]) -> set[bytes]:
        """Transfers of which the raw topic does not say which reversal came first, what it said, or if in time."""
        named: dict[bytes, dict[bytes, None]] = {}
        for id_, claims in self._claims.items():
            for claim in claims.values():
                named.setdefault(claim.original, {})[id_] = None
        found = set()
        for original, ids in named.items():
            surely, perhaps = self._in_time(original, ids, original_of(original))
            unclear = any(len(set(self._claims[id_].values())) > 1 for id_ in ids)
            if len(ids) > 1 or unclear or surely != perhaps:
                found.add(original)
        return found

    def settle(self, id_: bytes, claim: Claim) -> bool:
        """The entries show that this one took effect; whether any event says so."""
        if claim not in self._claims.get(id_, {}).values():
            return False
        self._effective[claim.original] = (id_, claim)
        return True

    def fates(self, original_of: Callable[[bytes], Original | None]) -> Fates:
        """What became of each, given what the transfers that came say."""
        effective: dict[bytes, Claim] = {}
        rejected: Counter[str] = Counter()
        held = forgotten = 0
        for original, ids in self._by_original().items():
            shown = self._effective.get(original)
            if shown is not None:  # whichever was read first: it was among those that are looked at
                ids.sort(key=lambda id_: id_ != shown[0])
            looked = ids[:MAX_REVERSALS]
            rejected[RejectReason.TOO_MANY_REVERSALS] += len(ids) - len(looked)
            came = original_of(original)
            if came is None:
                held += len(looked)
                continue
            surely, perhaps = self._in_time(original, looked, came)
            in_time = [i for i in looked if i in surely or (shown and i == shown[0] in perhaps)]
            forgotten += len(looked) - len(in_time)
            fitting = self._fitting(original, in_time, came.sides)
            if shown is not None and fitting.get(shown[0]):
                effective[shown[0]] = (
                    shown[1] if shown[1].sides == came.sides else fitting[shown[0]]
                )
            elif fitting:
                effective.update([next(iter(fitting.items()))])
            rejected[RejectReason.ALREADY_REVERSED] += max(len(fitting) - 1, 0)
            rejected[RejectReason.REVERSAL_DIFFERS] += len(in_time) - len(fitting)
        return Fates(effective, +rejected, held, forgotten)

    def _fitting(self, original: bytes, ids: Iterable[bytes], sides: Sides) -> dict[bytes, Claim]:
        """Of each id the first claim that says what the transfer says, of those that have one."""
        found: dict[bytes, Claim] = {}
        for id_ in ids:
            for claim in self._claims[id_].values():
                if claim.original == original and claim.sides == sides:
                    found.setdefault(id_, claim)
        return found

    def _in_time(
        self, original: bytes, ids: Iterable[bytes], came: Original | None
    ) -> tuple[set[bytes], set[bytes]]:
        """Those that the job certainly saw together with their transfer, and those that it may have."""
        if came is None:
            return set(), set()
        first_ms = {
            id_: min(c.time_ms for c in self._claims[id_].values() if c.original == original)
            for id_ in ids
        }
        surely, perhaps = (
            met(came.times_ms, first_ms.values(), gap_ms)
            for gap_ms in (self._window.surely_ms, self._window.perhaps_ms)
        )
        return (
            {id_ for id_, time_ms in first_ms.items() if time_ms in surely},
            {id_ for id_, time_ms in first_ms.items() if time_ms in perhaps},
        )

    def _by_original(self) -> dict[bytes, list[bytes]]:
        """By transfer the ids of its reversals, each once: as the entries show, or as its first occurrence says."""
        shown = {id_: claim.original for id_, claim in self._effective.values()}
        found: dict[bytes, list[bytes]] = {}
        for id_, claims in self._claims.items():
            original = shown.get(id_) or next(iter(claims.values())).original
            found.setdefault(original, []).append(id_)
        return found
