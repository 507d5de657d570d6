-- The exact complement of what counts, is a duplicate, is held, or is a heartbeat.
INSERT INTO transactions_rejected
SELECT
  verdict.reason,
  verdict.detail,
  verdict.payload,
  verdict.payload_base64,
  verdict.payload_bytes,
  ${transactions_topic},
  verdict.kafka_partition,
  verdict.kafka_offset,
  verdict.event_time_ms
FROM judged
WHERE verdict.kind = 'REJECTED'
UNION ALL
SELECT
  reason,
  detail,
  payload,
  payload_base64,
  payload_bytes,
  ${transactions_topic},
  kafka_partition,
  kafka_offset,
  event_time_ms
FROM settled
WHERE reason IS NOT NULL
