SELECT reason, COUNT(*) FROM transactions_rejected WHERE event_time_ms >= 1760000400001 AND event_time_ms < 1760086800002 GROUP BY reason ORDER BY COUNT(*) DESC, reason ASC LIMIT 1000
