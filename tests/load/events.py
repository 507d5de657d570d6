"""Events for benchmarks: made beforehand, so that making them is not in the measurement."""

from __future__ import annotations

import json
import random
import uuid

DUPLICATE_SHARE = 0.05
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
