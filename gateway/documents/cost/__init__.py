"""What a document will cost, told from its text and variables alone: nothing is fetched for it."""
