"""The Flink job's rules and topics, and the programs that feed, follow and recount the pipeline."""
