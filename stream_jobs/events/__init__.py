"""What an event is and what becomes of it: rules, reversals, JSON Schema and examples; pure."""
