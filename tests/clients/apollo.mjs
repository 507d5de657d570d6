// Apollo Client with its own persisted-query link: a miss, a registration, a hit.
import { ApolloClient, HttpLink, InMemoryCache, gql } from '@apollo/client';
import { PersistedQueryLink } from '@apollo/client/link/persisted-queries';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

const [url, document] = process.argv.slice(2);
const methods = [];
const recording = (target, options) => {
  methods.push(options.method);
  return fetch(target, options);
};
const sha256 = (text) => createHash('sha256').update(text).digest('hex');
const client = new ApolloClient({
  cache: new InMemoryCache(),
  link: new PersistedQueryLink({ sha256, useGETForHashedQueries: true }).concat(
    new HttpLink({ uri: url, fetch: recording }),
  ),
});
const query = gql(readFileSync(document, 'utf8'));
const variables = { accountId: 'acct-000001' };
await client.query({ query, variables });
const { data } = await client.query({ query, variables, fetchPolicy: 'network-only' });
console.log(JSON.stringify({ methods, rows: data.account.topCounterparties.rows.length }));
