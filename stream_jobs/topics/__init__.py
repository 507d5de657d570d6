"""The Kafka topics as YAML files, applied to a cluster; offsets, reading and partitioning by Kafka's own rules."""
