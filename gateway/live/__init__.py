"""Subscriptions: what of an answer is new, how often it is looked at, and who may listen."""
