"""One operation executed: schema, resolvers, presenting, outcome and the form of errors."""
