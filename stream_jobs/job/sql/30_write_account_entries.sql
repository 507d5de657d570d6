-- Both rows of an event leave the same subtask in the same checkpoint, hence in one Kafka transaction.
INSERT INTO account_entries
SELECT
  to_account_id, from_account_id, 'RECEIVED', transaction_id, amount, event_time_ms, kind, reverses,
  kafka_partition, kafka_offset
FROM unique_events
UNION ALL
SELECT
  from_account_id, to_account_id, 'SENT', transaction_id, amount, event_time_ms, kind, reverses,
  kafka_partition, kafka_offset
FROM unique_events
