"""Who asks: credentials in, a `Caller` or a refusal out; API keys, tokens, groups, revocation."""
