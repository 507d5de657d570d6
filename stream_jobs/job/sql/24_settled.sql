-- Whatever is not simply the first of its id: a further one, or one with a reversal in it. What each decides is told by
-- one Python function (functions.fates), and leaves it whole, so that it is planned once for all who read it.
CREATE VIEW settled AS
SELECT fate.*
FROM (
  SELECT
    transaction_id AS id, kafka_partition AS source_partition, kafka_offset AS source_offset,
    reversal, occurrence, transfers, content, reversals
  FROM remembered
  WHERE reversal IS NOT NULL OR transfers > 1 OR reversals IS NOT NULL
), LATERAL TABLE(
  settle(id, source_partition, source_offset, reversal, occurrence, transfers, content, reversals)
) AS fate(
  outcome, kafka_partition, kafka_offset, reason, detail, payload, payload_base64, payload_bytes, key_base64, headers,
  transaction_id, from_account_id, to_account_id, amount, event_time_ms, reverses
)
