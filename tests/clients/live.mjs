// Subscriptions by the libraries that front ends use: each one's first snapshot.
import { ApolloClient, InMemoryCache, gql } from '@apollo/client';
import { GraphQLWsLink } from '@apollo/client/link/subscriptions';
import { Client, fetchExchange, subscriptionExchange } from '@urql/core';
import { createClient as createSse } from 'graphql-sse';
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';

const [url] = process.argv.slice(2);
const query = `subscription { account(id: "acct-000001") {
  topCounterparties(window: {last: {count: 30, unit: DAY}}, first: 3) { rows { accountId } } } }`;
const rows = (data) => data.account.topCounterparties.rows.length;

const socket = () =>
  createClient({ url: url.replace(/^http/, 'ws'), webSocketImpl: WebSocket, retryAttempts: 0 });

// The first of what is told, after which the subscription is ended.
const first = (subscribe) =>
  new Promise((resolve, reject) => {
    let end = () => {};
    let ended = false;
    const told = (value) => {
      if (!ended) {
        ended = true;
        resolve(value);
        setImmediate(() => end());
      }
    };
    end = subscribe(told, reject);
  });

const sink = (told, failed) => ({
  next: ({ data, errors }) => (errors ? failed(new Error(JSON.stringify(errors))) : told(rows(data))),
  error: failed,
  complete: () => {},
});

const found = {};

const overSocket = socket();
found['graphql-ws'] = await first((told, failed) => overSocket.subscribe({ query }, sink(told, failed)));
const again = [];
for await (const { data } of overSocket.iterate({ query: query.replace('subscription', 'query') })) {
  again.push(rows(data));
}
found['a query over graphql-ws'] = again;
await overSocket.dispose();

const overEvents = createSse({ url });
found['graphql-sse'] = await first((told, failed) => overEvents.subscribe({ query }, sink(told, failed)));
overEvents.dispose();

const apolloSocket = socket();
const apollo = new ApolloClient({ link: new GraphQLWsLink(apolloSocket), cache: new InMemoryCache() });
found['@apollo/client'] = await first((told, failed) => {
  const going = apollo.subscribe({ query: gql(query) }).subscribe({
    next: ({ data, error }) => (error ? failed(error) : told(rows(data))),
    error: failed,
  });
  return () => going.unsubscribe();
});
await apolloSocket.dispose();

const urqlSocket = socket();
const urql = new Client({
  url,
  exchanges: [
    fetchExchange,
    subscriptionExchange({
      forwardSubscription: (request) => ({
        subscribe: (to) => ({ unsubscribe: urqlSocket.subscribe(request, to) }),
      }),
    }),
  ],
});
found['@urql/core'] = await first((told, failed) => {
  const going = urql
    .subscription(query, {})
    .subscribe(({ data, error }) => (error ? failed(error) : told(rows(data))));
  return () => going.unsubscribe();
});
await urqlSocket.dispose();

console.log(JSON.stringify(found));
