"""The embedded store: DuckDB in this process, in memory; everything in it is in every answer."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any, cast

import duckdb

from gateway.analytics import money
from gateway.analytics.asking import PlanRow, StoreResult
from gateway.analytics.model import Direction, Entry, TransactionKind
from gateway.analytics.pipeline_plan import (
    AuditPlan,
    EntryCountPlan,
    ProgressPlan,
    ProgressRow,
    ReasonRow,
    RejectedPlan,
)
from gateway.analytics.query_plan import (
    CountRow,
    DistinctPlan,
    DistinctRow,
    EntriesPlan,
    GroupRow,
    MatchesPlan,
    QueryPlan,
    SlotRow,
    SlotsPlan,
    TopPlan,
    TotalsPlan,
    TotalsRow,
)
from gateway.analytics.spread_plan import AmountRow, AmountsPlan, StepRow, StepsPlan
from gateway.errors import DeadlineExceededError, StoreUnavailableError
from gateway.process.clock import EpochMs, system_epoch_ms
from gateway.store.duckdb import sample, sql
from gateway.store.rows.asked import AccountRows, Row, RowsPlan, id_bytes


class DuckdbStore:
    """Answers plans from a table in memory, filled with sample data or by `load`."""

    tells_rows = True

    def __init__(self, sample_transfers: int = 0, epoch_ms: EpochMs = system_epoch_ms) -> None:
        self._sample_transfers = sample_transfers
        self._epoch_ms = epoch_ms
        self._database: duckdb.DuckDBPyConnection | None = None
        self._threads: ThreadPoolExecutor | None = None
        self._running: set[duckdb.DuckDBPyConnection] = set()
        self._snapshot = 0

    @property
    def sample_data(self) -> bool:
        """The entries are made up."""
        return True

    async def open(self) -> None:
        """Make the tables and fill them with sample data, if any is wanted."""
        self._database = duckdb.connect(":memory:", config={"threads": 2})
        self._database.execute(sql.TABLES)
        self._threads = ThreadPoolExecutor(thread_name_prefix="duckdb")
        if self._sample_transfers:
            sample.fill(self._database, self._sample_transfers, self._epoch_ms())

    async def close(self) -> None:
        """Forget everything, once the statements are over that still run: DuckDB closes no busy connection."""
        database, threads = self._database, self._threads
        self._database = self._threads = None
        for cursor in self._running:
            cursor.interrupt()
        if threads is not None:
            await asyncio.to_thread(threads.shutdown, wait=True, cancel_futures=True)
        if database is not None:
            database.close()

    def load(self, entries: Sequence[Entry]) -> None:
        """Add entries."""
        columns = [
            [each.account_id for each in entries],
            [each.counterparty_id for each in entries],
            [each.direction.value for each in entries],
            [each.transaction_id for each in entries],
            [str(each.amount) for each in entries],
            [each.event_time_ms for each in entries],
            [each.kind.value for each in entries],
            [each.reverses for each in entries],
        ]
        self._cursor().execute(
            "INSERT INTO account_entries SELECT unnest(?), unnest(?), unnest(?), unnest(?), "
            "unnest(?)::DECIMAL(38, 8), unnest(?), unnest(?), unnest(?)::VARCHAR, ?",
            [*columns, self._epoch_ms()],
        )
        self._snapshot += len(entries)

    def load_rejected(self, rejected: Iterable[tuple[str, int]]) -> None:
        """Add rejected events: reason and event time in milliseconds."""
        for reason, event_time_ms in rejected:
            self._cursor().execute(
                "INSERT INTO transactions_rejected VALUES (?, ?)", (reason, event_time_ms)
            )

    async def fetch(self, plan: QueryPlan[PlanRow], timeout_s: float) -> StoreResult[PlanRow]:
        """Answer a plan in a thread of its own; interrupted at the timeout."""
        as_of_ms = self._epoch_ms()
        if isinstance(plan, ProgressPlan):
            rows: tuple[Any, ...] = (ProgressRow(as_of_ms),)
            return StoreResult(cast("tuple[PlanRow, ...]", rows), as_of_ms)
        if isinstance(plan, AuditPlan):
            return StoreResult((), as_of_ms)  # there is no pipeline to audit
        cursor, snapshot = self._cursor(), self._snapshot
        statement = sql.statement(plan)
        self._running.add(cursor)
        try:
            async with asyncio.timeout(timeout_s):
                loop = asyncio.get_running_loop()
                cells = await loop.run_in_executor(self._threads, _run, cursor, statement)
        except TimeoutError as error:
            cursor.interrupt()
            raise DeadlineExceededError(f"DuckDB took over {timeout_s:.3f} s") from error
        except asyncio.CancelledError:
            cursor.interrupt()
            raise
        except duckdb.InterruptException as error:
            raise StoreUnavailableError("the embedded store was closed") from error
        finally:
            self._running.discard(cursor)
        rows = (
            account_rows(plan, cells, snapshot)
            if isinstance(plan, RowsPlan)
            else rows_of(plan, cells)
        )
        return StoreResult(cast("tuple[PlanRow, ...]", rows), as_of_ms, snapshot)

    def _cursor(self) -> duckdb.DuckDBPyConnection:
        if self._database is None:
            raise StoreUnavailableError("the embedded store is not open")
        return self._database.cursor()


def rows_of(plan: QueryPlan[Any], cells: list[tuple[Any, ...]]) -> tuple[Any, ...]:
    """The rows of a plan's answer."""
    match plan:
        case TotalsPlan():
            return tuple(
                TotalsRow(id_, Direction(direction), count, Decimal(amount), _kind(kind))
                for id_, direction, count, amount, kind in cells
            )
        case DistinctPlan():
            return tuple(DistinctRow(*row) for row in cells)
        case TopPlan():
            return tuple(GroupRow(*row) for row in cells)
        case SlotsPlan():
            return tuple(
                SlotRow(
                    start_ms, count, amount, side and Direction(side), _kind(kind), counterparty_id
                )
                for start_ms, count, amount, side, kind, counterparty_id in cells
            )
        case AmountsPlan():
            found = tuple(AmountRow(*row) for row in cells)
            return found if len(found) <= plan.limit else ()
        case StepsPlan():
            return tuple(StepRow(*row) for row in cells)
        case EntriesPlan():
            return tuple(_entry(*row) for row in cells)
        case EntryCountPlan() | MatchesPlan():
            return tuple(CountRow(*row) for row in cells)
        case RejectedPlan():
            return tuple(ReasonRow(*row) for row in cells)
    raise TypeError(f"no rows for {type(plan).__name__}")


def account_rows(
    plan: RowsPlan, cells: list[tuple[Any, ...]], snapshot: int
) -> tuple[AccountRows, ...]:
    """The cells of an answer as each account's rows; all of them are cut if there may be more."""
    is_cut = len(cells) >= plan.limit
    rows: dict[str, list[Row | None]] = {each: [] for each in plan.account_ids}
    for *entry, arrived_ms in () if is_cut else cells:
        rows[entry[0]].append(_row(_entry(*entry), arrived_ms))
    told = []
    for account_id, found in rows.items():
        kept = tuple(each for each in found if each is not None)
        told.append(AccountRows(account_id, kept, snapshot, is_cut or len(kept) < len(found)))
    return tuple(told)


def _row(entry: Entry, arrived_ms: int) -> Row | None:
    id_ = id_bytes(entry.transaction_id)
    reverses = b"" if entry.reverses is None else id_bytes(entry.reverses)
    if id_ is None or reverses is None:
        return None
    return Row(
        entry.counterparty_id,
        entry.direction is Direction.SENT,
        id_,
        money.to_units(entry.amount),
        entry.event_time_ms,
        entry.kind is TransactionKind.REVERSAL,
        reverses,
        arrived_ms,
    )


def _kind(cell: str | None) -> TransactionKind | None:
    return None if cell is None else TransactionKind(cell)


def _entry(
    account_id: str,
    counterparty_id: str,
    direction: str,
    transaction_id: str,
    amount: Decimal,
    event_time_ms: int,
    kind: str,
    reverses: str | None,
) -> Entry:
    return Entry(
        account_id,
        counterparty_id,
        Direction(direction),
        transaction_id,
        amount,
        event_time_ms,
        TransactionKind(kind),
        reverses,
    )


def _run(cursor: duckdb.DuckDBPyConnection, statement: sql.Statement) -> list[tuple[Any, ...]]:
    return cursor.execute(statement.text, list(statement.values)).fetchall()
