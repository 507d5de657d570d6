"""Small accounts' own rows, kept and brought up to date: their questions are answered without the store."""
