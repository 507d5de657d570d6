-- The rare rows with a reversal in them: what each decides is told by one Python function (reversals.settle).
CREATE VIEW settled AS
SELECT fate.*
FROM (
  SELECT reversal, content, reversals
  FROM remembered
  WHERE reversal IS NOT NULL OR (transfers = 1 AND reversals IS NOT NULL)
), LATERAL TABLE(settle(reversal, content, reversals)) AS fate(
  reason, detail, payload, payload_base64, payload_bytes, kafka_partition, kafka_offset,
  transaction_id, from_account_id, to_account_id, amount, event_time_ms, reverses
)
