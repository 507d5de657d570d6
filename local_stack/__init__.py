"""One machine's Kafka, Flink, Pinot and gateway as child processes, for `./dev` and the integration tests."""
