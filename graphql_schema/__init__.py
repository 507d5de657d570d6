"""What the GraphQL API says: types, inputs, scalars, error codes and the printed SDL."""
