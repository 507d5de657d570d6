"""Events for benchmarks: made beforehand, so that making them is not in the measurement."""

from __future__ import annotations

import json
import random
import uuid

DUPLICATE_SHARE = 0.05
REVERSED_EVERY = 40
ACCOUNTS = 100_000


def events(count: int, seed: int) -> list[bytes]:
    """`count` events over 100,000 accounts, Pareto-distributed, 5 % of them duplicates."""
    chance = random.Random(seed)
    made: list[bytes] = []
    while len(made) < count:
        if made and chance.random() < DUPLICATE_SHARE:
            made.append(made[chance.randrange(max(0, len(made) - 100_000), len(made))])
            continue
        body = {
            "from_account_id": f"bench-{int(chance.paretovariate(0.9)) % ACCOUNTS:06d}",
            "to_account_id": f"bench-{int(chance.paretovariate(0.9)) % ACCOUNTS:06d}",
            "transaction_id": str(uuid.UUID(int=chance.getrandbits(128))),
            "amount": f"{chance.randrange(1, 10**7)}.{chance.randrange(100):02d}",
        }
        made.append(json.dumps(body).encode())
    return made


def with_reversals(made: list[bytes], seed: int) -> list[bytes]:
    """Every 40th event is undone some events later; of ten reversals one each comes twice, differs, or undoes nothing."""
    chance = random.Random(f"reversals {seed}")
    late: dict[int, list[bytes]] = {}
    for number, place in enumerate(range(0, len(made), REVERSED_EVERY)):
        body = json.loads(made[place])
        reversals = [_undone(body, chance)]
        if number % 10 == 7:
            reversals.append(_undone(body, chance))
        elif number % 10 == 8:
            reversals[0]["amount"] = "0.01"
        elif number % 10 == 9:
            reversals[0]["reverses"] = str(uuid.UUID(int=chance.getrandbits(128)))
        later = min(place + chance.randrange(1, 300), len(made) - 1)
        late.setdefault(later, []).extend(json.dumps(each).encode() for each in reversals)
    return [value for place, event in enumerate(made) for value in (event, *late.get(place, []))]


def _undone(body: dict[str, str], chance: random.Random) -> dict[str, str]:
    id_ = str(uuid.UUID(int=chance.getrandbits(128)))
    return {**body, "transaction_id": id_, "type": "reversal", "reverses": body["transaction_id"]}
