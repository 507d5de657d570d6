"""The embedded store: the same answers without any other process, for front-end work and tests."""
