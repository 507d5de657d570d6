"""What became of the reversals in a recount: told from all of them together, once all are known; pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

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
    """The reversals that took effect, those that were rejected by reason, and how many are held."""

    effective: dict[bytes, Claim] = field(default_factory=dict)
    rejected: Counter[str] = field(default_factory=Counter)
    held: int = 0


class Reversals:
    """Takes them in the order of each kafka partition, as the recount does."""

    def __init__(self) -> None:
        self._claims: dict[bytes, dict[int, Claim]] = {}
        self._effective: dict[bytes, tuple[bytes, Claim]] = {}

    def add(self, id_: bytes, partition: int, claim: Claim) -> bool:
        """One occurrence; whether its id is new."""
        claims = self._claims.setdefault(id_, {})
        claims.setdefault(partition, claim)
        return len(claims) == 1 and claims[partition] is claim

    def contested(self) -> set[bytes]:
        """Transfers of which the raw topic does not say which reversal came first, or what it said."""
        found = set()
        for original, ids in self._by_original().items():
            if len(ids) > 1 or any(len(set(self._claims[id_].values())) > 1 for id_ in ids):
                found.add(original)
        return found

    def settle(self, id_: bytes, claim: Claim) -> bool:
        """The entries show that this one took effect; whether any event says so."""
        if claim not in self._claims.get(id_, {}).values():
            return False
        self._effective[claim.original] = (id_, claim)
        return True

    def fates(self, sides_of: Callable[[bytes], Sides | None]) -> Fates:
        """What became of each, given what the transfers that came say."""
        effective: dict[bytes, Claim] = {}
        rejected: Counter[str] = Counter()
        held = 0
        for original, ids in self._by_original().items():
            sides = sides_of(original)
            late = len(ids) - MAX_REVERSALS
            if sides is None:
                held += min(len(ids), MAX_REVERSALS)
            else:
                fitting: dict[bytes, Claim] = {}
                for id_, claim in self._of(original, ids):
                    if claim.sides == sides:
                        fitting.setdefault(id_, claim)
                shown = self._effective.get(original)
                if shown is not None and shown[1].sides == sides:
                    effective[shown[0]] = shown[1]
                elif fitting:
                    effective.update([next(iter(fitting.items()))])
                already = len(fitting.keys() - effective.keys())
                rejected[RejectReason.ALREADY_REVERSED] += already
                differing = len(ids) - max(late, 0) - len(fitting)
                rejected[RejectReason.REVERSAL_DIFFERS] += max(differing, 0)
            if late > 0:
                rejected[RejectReason.TOO_MANY_REVERSALS] += late
        return Fates(effective, +rejected, held)

    def _of(self, original: bytes, ids: list[bytes]) -> Iterator[tuple[bytes, Claim]]:
        for id_ in ids[:MAX_REVERSALS]:
            for claim in self._claims[id_].values():
                if claim.original == original:
                    yield id_, claim

    def _by_original(self) -> dict[bytes, list[bytes]]:
        """By transfer the ids of its reversals, as their first occurrences say."""
        found: dict[bytes, list[bytes]] = {}
        for id_, claims in self._claims.items():
            found.setdefault(next(iter(claims.values())).original, []).append(id_)
        return found
