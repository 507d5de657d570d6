"""GraphQL over HTTP: request, negotiation, response, record."""
