-- Two rows a transfer, and two a reversal with the amount negative, keyed by account: Kafka's murmur2 of the raw key is the partition Pinot prunes by.
CREATE TABLE account_entries (
  account_id STRING,
  counterparty_id STRING,
  direction STRING,
  transaction_id STRING,
  amount STRING,
  event_time_ms BIGINT,
  kind STRING,
  reverses STRING,
  -- The raw record that the entry came from.
  kafka_partition INT,
  kafka_offset BIGINT
) WITH (
  'connector' = 'kafka',
  'topic' = ${account_entries_topic},
  'properties.bootstrap.servers' = ${kafka_servers},
  ${kafka_access}
  'properties.transaction.timeout.ms' = ${transaction_timeout_ms},
  'properties.compression.type' = 'lz4',
  -- Nothing is read before the checkpoint commits it, so that waiting for a full batch delays nothing.
  'properties.linger.ms' = '100',
  'properties.batch.size' = '131072',
  'key.format' = 'raw',
  'key.fields' = 'account_id',
  'value.format' = 'json',
  'value.fields-include' = 'ALL',
  'sink.delivery-guarantee' = 'exactly-once',
  'sink.transactional-id-prefix' = ${entries_transactional_id},
  -- The default mints a transactional id a subtask a checkpoint, each kept for a week by the broker.
  'sink.transaction-naming-strategy' = 'POOLING'
)
