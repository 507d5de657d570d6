SELECT DISTINCTCOUNT(account_id) FROM account_entries WHERE direction = 'SENT' AND event_hour_ms >= 1760000400000 AND event_hour_ms < 1760086800000 LIMIT 1
