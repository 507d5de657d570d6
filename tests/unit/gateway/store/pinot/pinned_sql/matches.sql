SELECT COUNT(*) FROM account_entries WHERE account_id = 'alice' AND direction = 'SENT' AND counterparty_id = 'bob' AND event_hour_ms >= 1760000400000 AND event_hour_ms < 1760086800000 LIMIT 1
