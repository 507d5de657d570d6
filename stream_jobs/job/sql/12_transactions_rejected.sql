-- What was refused: why, the raw bytes, where it stood, and the record's key and headers to send it again with.
CREATE TABLE transactions_rejected (
  reason STRING,
  detail STRING,
  payload STRING,
  payload_base64 STRING,
  payload_bytes INT,
  topic STRING,
  kafka_partition INT,
  kafka_offset BIGINT,
  event_time_ms BIGINT,
  key_base64 STRING,
  headers STRING
) WITH (
  'connector' = 'kafka',
  'topic' = ${transactions_rejected_topic},
  'properties.bootstrap.servers' = ${kafka_servers},
  ${kafka_access}
  'properties.transaction.timeout.ms' = ${transaction_timeout_ms},
  'properties.compression.type' = 'lz4',
  -- Room for 1 MiB of raw bytes in base64 and as text.
  'properties.max.request.size' = '4194304',
  'format' = 'json',
  'sink.delivery-guarantee' = 'exactly-once',
  'sink.transactional-id-prefix' = ${rejected_transactional_id},
  'sink.transaction-naming-strategy' = 'POOLING'
)
