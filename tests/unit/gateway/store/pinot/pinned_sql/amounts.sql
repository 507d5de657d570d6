SELECT amount FROM account_entries WHERE account_id = 'alice' AND direction = 'SENT' AND event_time_ms >= 1760000400001 AND event_time_ms < 1760086800002 AND kind = 'TRANSFER' LIMIT 10001
