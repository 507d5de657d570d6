-- The raw topic, byte for byte: judging is not the format's work, so nothing is lost to a parse error.
-- The heartbeats beside it only keep the source awake: it commits its offsets between two polls, and a poll of
-- a quiet topic would last 10 s.
CREATE TABLE transactions (
  payload BYTES,
  topic STRING METADATA FROM 'topic' VIRTUAL,
  recorded_at TIMESTAMP_LTZ(3) METADATA FROM 'timestamp' VIRTUAL,
  kafka_partition INT METADATA FROM 'partition' VIRTUAL,
  kafka_offset BIGINT METADATA FROM 'offset' VIRTUAL,
  arrival AS PROCTIME()
) WITH (
  'connector' = 'kafka',
  'topic' = ${source_topics},
  'properties.bootstrap.servers' = ${kafka_servers},
  'properties.group.id' = ${consumer_group},
  -- An event that its producer rolled back never happened.
  'properties.isolation.level' = 'read_committed',
  'scan.startup.mode' = 'earliest-offset',
  'format' = 'raw'
)
