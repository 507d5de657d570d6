SELECT recorded_at_ms, through_ms, consistent_through_ms, checked_intervals, open_intervals, conflicts, mismatches FROM pipeline_audit ORDER BY recorded_at_ms DESC LIMIT 1
