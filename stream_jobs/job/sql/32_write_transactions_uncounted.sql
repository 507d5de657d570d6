-- A further record of a transfer or of a reversal, and a reversal that waits for its transfer.
INSERT INTO transactions_uncounted
SELECT outcome, transaction_id, kafka_partition, kafka_offset
FROM settled
WHERE outcome IN ('DUPLICATE', 'HELD')
