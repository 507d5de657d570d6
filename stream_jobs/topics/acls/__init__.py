"""What each part may do on Kafka, as a file, and applied."""
