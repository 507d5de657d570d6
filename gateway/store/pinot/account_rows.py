"""All of some accounts' rows on Pinot: a statement for each kafka partition that they are in, each proven whole alone."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable

from gateway.analytics import money
from gateway.process import beside
from gateway.store.pinot import sql
from gateway.store.pinot.response import BrokerAnswer, Cells, decimal, text, whole
from gateway.store.rows.asked import AccountRows, Row, RowsPlan, id_bytes

Ask = Callable[[str, frozenset[str]], Awaitable[BrokerAnswer]]
"""Runs a statement over the partitions of some accounts, checked for completeness."""


async def fetch_rows(
    plan: RowsPlan, partition_of: Callable[[str], int], ask: Ask
) -> tuple[AccountRows, ...]:
    """One `AccountRows` an account; those of one partition are cut together."""
    together: dict[int, set[str]] = defaultdict(set)
    for account_id in plan.account_ids:
        together[partition_of(account_id)].add(account_id)
    found = await asyncio.gather(*(_of_partition(plan, each, ask) for each in together.values()))
    return tuple(rows for each in found for rows in each)


async def _of_partition(
    plan: RowsPlan, account_ids: Iterable[str], ask: Ask
) -> tuple[AccountRows, ...]:
    accounts = frozenset(account_ids)
    answer = await ask(sql.account_rows(plan, accounts), accounts)
    return await beside.done(len(answer.rows), lambda: _all_told(plan, accounts, answer))


def _all_told(
    plan: RowsPlan, accounts: Iterable[str], answer: BrokerAnswer
) -> tuple[AccountRows, ...]:
    cells: dict[str, list[Cells]] = {each: [] for each in accounts}
    for row in answer.rows:
        cells[text(row[0])].append(row)
    is_cut = len(answer.rows) >= plan.limit
    return tuple(_told(account_id, rows, answer, is_cut) for account_id, rows in cells.items())


def _told(account_id: str, cells: list[Cells], answer: BrokerAnswer, is_cut: bool) -> AccountRows:
    rows = [] if is_cut else [_row(each) for each in cells]
    kept = tuple(each for each in rows if each is not None)
    return AccountRows(account_id, kept, answer.total_docs, is_cut or len(kept) < len(rows))


def _row(cells: Cells) -> Row | None:
    """A row of account id, counterparty id, direction, transaction id, amount, time, kind, what is reversed, arrival.

    `None` of one whose ids are no UUIDs. There may be thousands: what is usual is looked at once.
    """
    _, counterparty_id, direction, transaction_id, amount, time_ms, kind, reverses, arrived_ms = (
        cells
    )
    id_ = id_bytes(text(transaction_id))
    taken_back = id_bytes(reverses) if text(reverses) else b""
    if id_ is None or taken_back is None:
        return None
    return Row(
        text(counterparty_id),
        _SENT[text(direction)],
        id_,
        _units(amount),
        time_ms if type(time_ms) is int else whole(time_ms),
        _REVERSAL[text(kind)],
        taken_back,
        arrived_ms if type(arrived_ms) is int else whole(arrived_ms),
    )


_SENT = {"RECEIVED": False, "SENT": True}
_REVERSAL = {"TRANSFER": False, "REVERSAL": True}


def _units(cell: object) -> int:
    """An amount in units of 10^-8; plain notation, which is usual, is read without a decimal between."""
    if isinstance(cell, str):
        before, _, after = cell.partition(".")
        digits = before + after
        if (
            len(after) <= money.UNIT_PLACES
            and digits.removeprefix("-").isdecimal()
            and before != "-"
        ):
            return int(digits + "0" * (money.UNIT_PLACES - len(after)))
    return money.to_units(decimal(cell))
