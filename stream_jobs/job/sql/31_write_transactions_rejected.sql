-- The exact complement of what counts, what is uncounted, and the heartbeats.
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
  verdict.event_time_ms,
  verdict.key_base64,
  verdict.headers
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
  event_time_ms,
  key_base64,
  headers
FROM settled
WHERE outcome = 'REJECTED'
