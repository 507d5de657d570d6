SELECT COUNT(*) FROM account_entries LIMIT 1
