"""How the questions of the GraphQL schema are answered over a store of payment entries."""
