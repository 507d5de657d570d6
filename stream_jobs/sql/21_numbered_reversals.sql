-- Reversals, each id once, and numbered within their transfer: few, so that what is kept of them costs little.
CREATE VIEW numbered_reversals AS
SELECT
  transaction_key,
  reversal,
  arrival,
  COUNT(*) OVER (PARTITION BY transaction_key ORDER BY arrival) AS number
FROM (
  SELECT
    *,
    ROW_NUMBER() OVER (PARTITION BY transaction_id ORDER BY arrival ASC) AS occurrence
  FROM (
    SELECT
      verdict.transaction_key AS transaction_key,
      verdict.transaction_id AS transaction_id,
      verdict.reversal AS reversal,
      arrival
    FROM judged
    WHERE verdict.kind = 'REVERSAL'
  )
)
WHERE occurrence = 1
