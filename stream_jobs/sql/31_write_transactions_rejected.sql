-- The exact complement of unique_transfers' condition, heartbeats aside.
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
WHERE verdict.reason <> 'HEARTBEAT'
