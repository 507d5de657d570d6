"""The gateway's parts as the settings want them, each made of what it is given."""
