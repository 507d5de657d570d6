"""Operations as programs: a valid document's operation is compiled once, then only run.

The schema stays Strawberry's: its resolvers, types and scalars are read, none is repeated here. What
is not supported (introspection, abstract types as a field's type) is left to graphql-core, and so is
the wording of every error; `gateway.execution` decides that before anything has run.
"""
