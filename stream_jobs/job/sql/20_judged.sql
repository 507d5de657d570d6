-- One source, one judgement: a verdict is a TRANSFER, a REVERSAL, REJECTED, or a HEARTBEAT.
-- Everything that either path needs goes into the verdict and comes out of it. Were a column taken past it, or
-- a row left out before it, the planner would prune the two paths differently and judge every event twice.
CREATE VIEW judged AS
SELECT
  judge(
    payload,
    EXTRACT(EPOCH FROM recorded_at) * 1000 + EXTRACT(MILLISECOND FROM recorded_at),
    topic = ${heartbeat_topic},
    kafka_partition,
    kafka_offset,
    record_key,
    headers
  ) AS verdict,
  arrival
FROM transactions
