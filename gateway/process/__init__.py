"""What any server needs: clock, logs, metrics, workers, drain; nothing of GraphQL."""
