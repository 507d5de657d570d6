-- The first occurrence of a transaction id wins. Ordering by processing time keeps the result append-only.
-- The id is remembered as its 16 bytes: as text it takes twice the room on disk.
CREATE VIEW unique_transfers AS
SELECT transaction_id, from_account_id, to_account_id, amount, event_time_ms
FROM (
  SELECT
    *,
    ROW_NUMBER() OVER (PARTITION BY transaction_key ORDER BY arrival ASC) AS occurrence
  FROM (
    SELECT
      verdict.transaction_key AS transaction_key,
      verdict.transaction_id AS transaction_id,
      verdict.from_account_id AS from_account_id,
      verdict.to_account_id AS to_account_id,
      verdict.amount AS amount,
      verdict.event_time_ms AS event_time_ms,
      arrival
    FROM judged
    WHERE verdict.reason IS NULL
  )
)
WHERE occurrence = 1
