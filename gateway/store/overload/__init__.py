"""How much the store is asked at a time, and what happens to the rest: pure rules and one gate."""
