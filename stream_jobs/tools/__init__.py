"""What people run: produce events, and verify by an independent recount."""
