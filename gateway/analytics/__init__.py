"""The rules, pure: windows, rankings, plans, cursors, money and the model; they know no store and no GraphQL."""
