SELECT reason, COUNT(*) FROM transactions_rejected GROUP BY reason ORDER BY COUNT(*) DESC, reason ASC LIMIT 1000
