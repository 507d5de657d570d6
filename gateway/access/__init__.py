"""Who asks and what they may: credentials, callers, what is masked, what they may spend."""
