-- The raw topic, byte for byte: judging is not the format's work, so nothing is lost to a parse error.
-- The heartbeats beside it only keep the source awake: it commits its offsets between two polls, and a poll of
-- a quiet topic would last 10 s.
-- NOT NULL as the connector has it: the planner would convert what is declared otherwise on some paths only, and
-- judge every event once more for those.
CREATE TABLE transactions (
  record_key BYTES,
  payload BYTES,
  topic STRING NOT NULL METADATA FROM 'topic' VIRTUAL,
  recorded_at TIMESTAMP_LTZ(3) NOT NULL METADATA FROM 'timestamp' VIRTUAL,
  kafka_partition INT NOT NULL METADATA FROM 'partition' VIRTUAL,
  kafka_offset BIGINT NOT NULL METADATA FROM 'offset' VIRTUAL,
  headers MAP<STRING NOT NULL, BYTES> NOT NULL METADATA FROM 'headers' VIRTUAL,
  arrival AS PROCTIME()
) WITH (
  'connector' = 'kafka',
  'topic' = ${source_topics},
  'properties.bootstrap.servers' = ${kafka_servers},
  ${kafka_access}
  'properties.group.id' = ${consumer_group},
  -- An event that its producer rolled back never happened.
  'properties.isolation.level' = 'read_committed',
  -- What one look may bring into memory: the topic lets a record of up to 1 MiB in, however small it was on its way.
  'properties.max.poll.records' = '20',
  -- At the peak a request brings what 16 ms bring, instead of a few events.
  'properties.fetch.min.bytes' = '16384',
  'properties.fetch.max.wait.ms' = '50',
  'scan.startup.mode' = 'earliest-offset',
  -- A partition that is added meanwhile is read so much later at most, from its first event on; until then `asOf` stands
  -- still.
  'scan.topic-partition-discovery.interval' = '10 s',
  'key.format' = 'raw',
  'key.fields' = 'record_key',
  'format' = 'raw',
  'value.fields-include' = 'EXCEPT_KEY'
)
