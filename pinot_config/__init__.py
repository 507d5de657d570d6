"""Pinot's schemas and table configs as files, and the command that applies them."""
