-- Reversals, and which occurrence of its id each is.
CREATE VIEW reversals_seen AS
SELECT
  *,
  COUNT(*) OVER (PARTITION BY transaction_id ORDER BY arrival) AS occurrence
FROM (
  SELECT
    verdict.transaction_key AS transaction_key,
    verdict.transaction_id AS transaction_id,
    verdict.kafka_partition AS kafka_partition,
    verdict.kafka_offset AS kafka_offset,
    verdict.reversal AS reversal,
    arrival
  FROM judged
  WHERE verdict.kind = 'REVERSAL'
)
