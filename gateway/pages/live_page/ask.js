// GraphQL over HTTP: a document of graphql_schema/operations with its variables, and one answer.

const documents = new Map();

/** The text of a document, fetched once. */
export function documentOf(name) {
  if (!documents.has(name)) {
    const fetched = fetch(`/page/documents/${name}.graphql`).then((response) => {
      if (!response.ok) throw new Error(`the document ${name} is not here`);
      return response.text();
    });
    // One that could not be had is asked for again.
    fetched.catch(() => documents.delete(name));
    documents.set(name, fetched);
  }
  return documents.get(name);
}

/** What an answer says that has no data: its first error, told for people. */
export class RefusedError extends Error {
  constructor(status, errors, retryAfterS = 0) {
    super(errors?.[0]?.message ?? `The server answered ${status}.`);
    this.status = status;
    this.code = errors?.[0]?.extensions?.code ?? '';
    this.retryAfterS = retryAfterS;
  }
}

/** A request's refusal, from a response that is no stream and no data. */
export async function refusalOf(response) {
  const body = await response.json().catch(() => ({}));
  return new RefusedError(response.status, body.errors, Number(response.headers.get('retry-after')) || 0);
}

/** `{data, errors}`; raises RefusedError, or what fetch raises while nobody answers. */
export async function ask(name, variables, headers, signal) {
  const response = await fetch('/graphql', {
    method: 'POST',
    headers: { Accept: 'application/graphql-response+json', 'Content-Type': 'application/json', ...headers },
    body: JSON.stringify({ query: await documentOf(name), variables }),
    signal,
  });
  if (!response.ok) throw await refusalOf(response);
  return response.json();
}
