-- What counts: the first occurrence of each transfer, and each reversal that takes effect.
CREATE VIEW unique_events AS
SELECT
  transaction_id,
  from_account_id,
  to_account_id,
  amount,
  event_time_ms,
  'TRANSFER' AS kind,
  CAST(NULL AS STRING) AS reverses,
  kafka_partition,
  kafka_offset
FROM remembered
WHERE reversal IS NULL AND transfers = 1
UNION ALL
SELECT
  transaction_id,
  from_account_id,
  to_account_id,
  amount,
  event_time_ms,
  'REVERSAL',
  reverses,
  kafka_partition,
  kafka_offset
FROM settled
WHERE outcome = 'COUNTED'
