-- The raw topic, byte for byte: judging is not the format's work, so nothing is lost to a parse error.
-- The heartbeats beside it only keep the source awake: it commits its offsets between two polls, and a poll of
-- a quiet topic would last 10 s.
-- NOT NULL as the connector has it: the planner would convert what is declared otherwise on some paths only, and
-- judge every event once more for those.
CREATE TABLE transactions (
  payload BYTES,
  topic STRING NOT NULL METADATA FROM 'topic' VIRTUAL,
  recorded_at TIMESTAMP_LTZ(3) NOT NULL METADATA FROM 'timestamp' VIRTUAL,
  kafka_partition INT NOT NULL METADATA FROM 'partition' VIRTUAL,
  kafka_offset BIGINT NOT NULL METADATA FROM 'offset' VIRTUAL,
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
