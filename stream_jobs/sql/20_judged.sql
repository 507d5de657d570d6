-- One source, one judgement: a verdict has either a reason or a transfer, never both, never neither.
-- Everything that either path needs comes out of the verdict. Were a column taken past it, the planner would
-- prune the two paths differently and judge every event twice.
CREATE VIEW judged AS
SELECT
  judge(
    payload,
    EXTRACT(EPOCH FROM recorded_at) * 1000 + EXTRACT(MILLISECOND FROM recorded_at),
    kafka_partition,
    kafka_offset
  ) AS verdict,
  arrival
FROM transactions
