"""Sample data of the embedded store: the same transfers each time, up to the present day.

Accounts are `acct-000001` and so on, the low numbers far busier (roughly as Zipf has it); the first
thirty days back are denser than the year before. Every 97th transfer was reversed within a day,
unless that is yet to come. All is arithmetic on the transfer's number.
"""

# ruff: noqa: S608 - the SQL is put together out of constants

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

ACCOUNTS = 2_000
_DAY_MS = 86_400_000

_TRANSFERS = f"""
CREATE TEMP TABLE transfers AS
WITH numbers AS (
    SELECT i,
        ((i * 2654435761 + 12345) % 4294967296) / 4294967296.0 AS a,
        ((i * 1597334677 + 54321) % 4294967291) / 4294967291.0 AS b,
        ((i * 3812015801 + 99999) % 4294967279) / 4294967279.0 AS c,
        (i * 2246822519 + 777) % 4294967231 AS d
    FROM range(?) AS numbered(i)
)
SELECT
    printf('acct-%06d', floor(pow({ACCOUNTS}, a))::INTEGER) AS from_account_id,
    printf('acct-%06d', floor(pow({ACCOUNTS}, b))::INTEGER) AS to_account_id,
    printf('00000000-0000-4000-8000-%012x', i) AS transaction_id,
    ((d % 500000 + 1) / 100.0)::DECIMAL(18, 2)::DECIMAL(38, 8) AS amount,
    (? - 60000 - floor(CASE WHEN i % 2 = 0 THEN c * 30 ELSE c * 400 END * {_DAY_MS}))::BIGINT
        AS event_time_ms,
    'TRANSFER' AS kind, NULL::VARCHAR AS reverses
FROM numbers
"""

_REVERSALS = f"""
INSERT INTO transfers
SELECT from_account_id, to_account_id, replace(transaction_id, '-4000-', '-4001-'), -amount,
    event_time_ms + delay_ms, 'REVERSAL', transaction_id
FROM (
    SELECT *, row_number() OVER (ORDER BY transaction_id) AS i, (i * 7919000) % {_DAY_MS} AS delay_ms
    FROM transfers
)
WHERE i % 97 = 0 AND event_time_ms + delay_ms <= ? - 60000
"""

_ENTRIES = """
INSERT INTO account_entries
SELECT to_account_id, from_account_id, 'RECEIVED', transaction_id, amount, event_time_ms,
    kind, reverses, 1
FROM transfers
UNION ALL
SELECT from_account_id, to_account_id, 'SENT', transaction_id, amount, event_time_ms,
    kind, reverses, 1
FROM transfers
"""

_REJECTED = """
INSERT INTO transactions_rejected
SELECT ['AMOUNT_NOT_A_STRING', 'NOT_JSON', 'TRANSACTION_ID_INVALID'][1 + i % 3],
    event_time_ms
FROM (SELECT row_number() OVER (ORDER BY transaction_id) AS i, event_time_ms FROM transfers)
WHERE i % 200 = 0
"""


def fill(database: duckdb.DuckDBPyConnection, transfers: int, now_ms: int) -> None:
    """Fill both tables; two entries a transfer or reversal, the latest a minute before `now_ms`."""
    database.execute(_TRANSFERS, [transfers, now_ms])
    database.execute(_REJECTED)
    database.execute(_REVERSALS, [now_ms])
    database.execute(_ENTRIES)
    database.execute("DROP TABLE transfers")
