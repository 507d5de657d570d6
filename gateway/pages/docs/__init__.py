"""The documentation at `/docs`: the schema's own words, grouped by what one wants to know, with examples and their answers."""
