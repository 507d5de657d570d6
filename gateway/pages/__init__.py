"""What browsers get: GraphiQL, the docs, and the metrics page."""
