-- One source, one judgement: a verdict has either a reason or a transfer, never both, never neither.
CREATE VIEW judged AS
SELECT
  judge(payload, event_time_ms) AS verdict,
  topic,
  kafka_partition,
  kafka_offset,
  event_time_ms,
  arrival
FROM (
  SELECT
    *,
    EXTRACT(EPOCH FROM recorded_at) * 1000 + EXTRACT(MILLISECOND FROM recorded_at) AS event_time_ms
  FROM transactions
)
