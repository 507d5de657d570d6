"""Ready answers in front of everything: by what the caller may see and what is asked, for a short time."""
