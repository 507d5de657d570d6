"""Long lists of transactions over plain HTTP, as NDJSON or CSV: as the GraphQL field answers them, all pages in one response."""
