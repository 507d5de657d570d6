"""In which tables and columns an account's id may stand, and how Pinot is asked for the rows; pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote

from stream_jobs.events.erased_text import word

ROW_COLUMNS: Final = (
    *("account_id", "counterparty_id", "direction", "transaction_id", "event_time_ms", "kind"),
    *("reverses", "kafka_partition", "kafka_offset", "amount"),
)
"""What is told of an entry that is changed, in the order of the audit's rows."""


@dataclass(frozen=True, slots=True)
class Held:
    """Where a table holds ids: as whole `values`, or within `texts`.

    `computed` is by column what Pinot computes of it when it reads a row; `sums` is what may not change.
    """

    values: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    sorted_by: str = ""
    computed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    told: tuple[str, ...] = ()
    sums: tuple[str, ...] = ("COUNT(*)",)

    def where(self, account_id: str) -> str:
        """The SQL condition for rows that hold the id."""
        id_, pattern = _quoted(account_id), _quoted(word(account_id))
        values = [f"{column} = {id_}" for column in self.values]
        texts = [f"REGEXP_LIKE({column}, {pattern})" for column in self.texts]
        return " OR ".join(values + texts)


ENTRIES: Final = Held(
    values=("account_id", "counterparty_id"),
    sorted_by="account_id",
    computed={"counterparty_id": ("counterparty_cohort",)},
    told=ROW_COLUMNS,
    sums=("COUNT(*)", "SUMPRECISION(amount)", "MIN(event_time_ms)", "MAX(event_time_ms)"),
)
REJECTED: Final = Held(texts=("payload", "detail"))
FINDINGS: Final = Held(texts=("mismatches",))


def _quoted(text: str) -> str:
    """As the gateway writes it (store/pinot/clauses.py): 0.11 makes one quote of two in a row once too often."""
    if "''" in text:
        return f"decodeUrl('{quote(text, safe='')}')"
    return "'" + text.replace("'", "''") + "'"
