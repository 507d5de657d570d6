"""What is in `account-entries` against what was sent, id by id; shares no code with the project."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from confluent_kafka import Consumer, TopicPartition

from tests.integration.ledger import DIRECTIONS, Ledger

TOPIC = "account-entries"


@dataclass(frozen=True, slots=True)
class Difference:
    """Entries that are missing, too many, or of nobody; and the money that makes, over both directions."""

    lost: int
    duplicated: int
    unknown: int
    amount: Fraction

    @property
    def none(self) -> bool:
        return not (self.lost or self.duplicated or self.unknown or self.amount)


@dataclass
class Entries:
    """The committed entries as far as they were read; `read_on` reads what has come since."""

    kafka: str
    seen: Counter[tuple[str, str]] = field(default_factory=Counter)
    amounts: dict[str, Fraction] = field(
        default_factory=lambda: dict.fromkeys(DIRECTIONS, Fraction(0))
    )
    offsets: dict[int, int] = field(default_factory=dict)

    def read_on(self) -> None:
        consumer = Consumer(
            {
                "bootstrap.servers": self.kafka,
                "group.id": "accounting",
                "enable.auto.commit": False,
                "isolation.level": "read_committed",
                "enable.partition.eof": True,
                "auto.offset.reset": "earliest",
            }
        )
        try:
            partitions = consumer.list_topics(TOPIC, timeout=30).topics[TOPIC].partitions
            consumer.assign([TopicPartition(TOPIC, p, self.offsets.get(p, 0)) for p in partitions])
            left = set(partitions)
            while left:
                message = consumer.poll(60)
                assert message is not None, "account-entries cannot be read to its end"
                if message.error() is not None:
                    left.discard(message.partition() or 0)
                    continue
                self._add(json.loads(message.value() or b"{}"))
                self.offsets[message.partition() or 0] = (message.offset() or 0) + 1
        finally:
            consumer.close()

    def against(self, ledger: Ledger) -> Difference:
        """Every legal transfer makes one entry in each direction, and nothing else makes any."""
        wanted = {(name, direction): 1 for name in ledger.transfers for direction in DIRECTIONS}
        total = sum((Fraction(t.amount) for t in ledger.transfers.values()), Fraction(0))
        return Difference(
            lost=sum(1 for key in wanted if key not in self.seen),
            duplicated=sum(count - 1 for count in self.seen.values()),
            unknown=sum(1 for key in self.seen if key not in wanted),
            amount=sum((abs(self.amounts[d] - total) for d in DIRECTIONS), Fraction(0)),
        )

    def _add(self, entry: dict[str, Any]) -> None:
        self.seen[entry["transaction_id"], entry["direction"]] += 1
        self.amounts[entry["direction"]] += Fraction(entry["amount"])
