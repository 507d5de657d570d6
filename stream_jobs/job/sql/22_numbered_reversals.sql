-- Reversals, numbered within their transfer: few, so that what is kept of them costs little. Those that came before
-- are not numbered, but go the same way, since two ways would be planned as two memories.
CREATE VIEW numbered_reversals AS
SELECT
  *,
  COUNT(CASE WHEN occurrence = 1 THEN reversal END) OVER (PARTITION BY transaction_key ORDER BY arrival) AS number
FROM reversals_seen
