"""All that Kafka had, as Parquet files: written while it comes, proven whole, and what an empty Pinot is filled from."""
