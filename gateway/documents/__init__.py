"""A document before it costs anything: named, scanned, capped, validated, priced, prepared."""
