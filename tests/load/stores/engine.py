"""What a store must be able to do to be compared."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from tests.load.stores.payments import Question, Row, Transfer


class AbsentError(Exception):
    """The store cannot be had on this machine; the message says how to get it."""


class Engine(Protocol):
    """One store, from its start to its end."""

    exactness: str
    """Whether sums are exact, and up to where."""

    def start(self, folder: Path) -> None:
        """Start with an empty store whose files go into the folder."""
        ...

    def load(self, transfers: Sequence[Transfer]) -> None:
        """Take in all transfers; returns when all are in every answer."""
        ...

    def can_answer(self, question: Question) -> bool:
        """Whether the store's structures hold what is asked."""
        ...

    def answer(self, question: Question) -> list[Row]:
        """The rows of a question; called by several threads at once."""
        ...

    def add(self, transfer: Transfer) -> None:
        """Write one transfer as its source would."""
        ...

    def pids(self) -> list[int]:
        """The processes that the store is, this one among them if it runs inside."""
        ...

    def disk_bytes(self) -> int:
        """What it keeps on disk."""
        ...

    def stop(self) -> None:
        """End it and its processes."""
        ...


def size_of(folder: Path) -> int:
    """Bytes on disk of a folder's files."""
    return sum(file.stat().st_blocks * 512 for file in folder.rglob("*") if file.is_file())


def write_csv(transfers: Sequence[Transfer], file: Path) -> None:
    """Both entries of each transfer: account, counterparty, direction, id, amount, time."""
    with file.open("w") as out:
        for each in transfers:
            tail = f"{each.transaction_id},{each.amount},{each.time_ms}\n"
            out.write(f"{each.payee},{each.payer},RECEIVED,{tail}")
            out.write(f"{each.payer},{each.payee},SENT,{tail}")
