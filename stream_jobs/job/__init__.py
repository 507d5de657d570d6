"""The Flink job: SQL, functions, settings, and the checks before it may start."""
