-- What is remembered of each transfer: how often it came, what it said at first, and the reversals that came for it,
-- before it or after. One operator with one input sees a transfer and its reversals in one order; a join would not.
-- A transfer that is refused, for an erased account, has what a reversal has, and no content: nothing is remembered of it.
-- The key is the transfer's id as 16 bytes, since as text it takes twice the room on disk, and what it said is 8 bytes.
CREATE VIEW remembered AS
SELECT
  transaction_id,
  from_account_id,
  to_account_id,
  amount,
  event_time_ms,
  kafka_partition,
  kafka_offset,
  reversal,
  occurrence,
  COUNT(content) OVER so_far AS transfers,
  FIRST_VALUE(content) OVER so_far AS content,
  LISTAGG(kept) OVER so_far AS reversals
FROM (
  SELECT
    verdict.transaction_key AS transaction_key,
    verdict.content AS content,
    verdict.transaction_id AS transaction_id,
    verdict.from_account_id AS from_account_id,
    verdict.to_account_id AS to_account_id,
    verdict.amount AS amount,
    verdict.event_time_ms AS event_time_ms,
    verdict.kafka_partition AS kafka_partition,
    verdict.kafka_offset AS kafka_offset,
    verdict.reversal AS reversal,
    CAST(NULL AS BIGINT) AS occurrence,
    CAST(NULL AS STRING) AS kept,
    arrival
  FROM judged
  WHERE verdict.kind = 'TRANSFER'
  UNION ALL
  SELECT
    transaction_key,
    CAST(NULL AS BIGINT),
    transaction_id,
    CAST(NULL AS STRING),
    CAST(NULL AS STRING),
    CAST(NULL AS STRING),
    CAST(NULL AS BIGINT),
    kafka_partition,
    kafka_offset,
    reversal,
    occurrence,
    CASE WHEN occurrence = 1 AND number <= ${max_reversals} THEN reversal END,
    arrival
  FROM numbered_reversals
)
WINDOW so_far AS (PARTITION BY transaction_key ORDER BY arrival)
