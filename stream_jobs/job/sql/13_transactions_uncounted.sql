-- What counts nothing: a DUPLICATE, for ever, or a reversal that is HELD until its transfer comes. With the entries and
-- the rejected every raw record has exactly one outcome, so that offsets prove that none is missing.
CREATE TABLE transactions_uncounted (
  outcome STRING,
  transaction_id STRING,
  kafka_partition INT,
  kafka_offset BIGINT
) WITH (
  'connector' = 'kafka',
  'topic' = ${transactions_uncounted_topic},
  'properties.bootstrap.servers' = ${kafka_servers},
  ${kafka_access}
  'properties.transaction.timeout.ms' = ${transaction_timeout_ms},
  'properties.compression.type' = 'lz4',
  -- Nothing is read before the checkpoint commits it, so that waiting for a full batch delays nothing.
  'properties.linger.ms' = '100',
  'properties.batch.size' = '131072',
  'format' = 'json',
  'sink.delivery-guarantee' = 'exactly-once',
  'sink.transactional-id-prefix' = ${uncounted_transactional_id},
  'sink.transaction-naming-strategy' = 'POOLING'
)
