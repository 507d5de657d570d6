// Opens GraphiQL on this origin's /graphql, with the gateway's own questions as tabs.
'use strict';

const TABS = [
  {
    query: `# Who sent me the most money in the last 30 days?
# To ask as somebody, put what ./dev up has printed into the Headers tab below, and run it again:
# {"Authorization": "Bearer ..."}
query TopSenders($accountId: ID! = "acct-000001") {
  account(id: $accountId) {
    topCounterparties(window: {last: {count: 30, unit: DAY}}, direction: RECEIVED, first: 10) {
      asOf
      exact
      rows { rank accountId transactionCount transactionAmount }
      others { counterpartyCount transactionCount transactionAmount }
      total { counterpartyCount transactionCount transactionAmount }
    }
  }
}
`,
  },
  {
    query: `# This month beside the month before, in one round trip.
query Dashboard($accountId: ID! = "acct-000001", $zone: TimeZone! = "Asia/Ho_Chi_Minh") {
  account(id: $accountId) {
    received: totals(window: {calendar: THIS_MONTH}, timeZone: $zone, compareTo: PREVIOUS_PERIOD) {
      transactionCount
      transactionAmount
      averageAmount
      counterpartyCount
      comparison { transactionAmount transactionAmountChange transactionAmountChangeRatio }
    }
    netFlow(window: {calendar: THIS_MONTH}, timeZone: $zone) {
      received { transactionAmount }
      sent { transactionAmount }
      netAmount
    }
    timeSeries(window: {last: {count: 7, unit: DAY}}, granularity: DAY, timeZone: $zone) {
      points { start transactionCount transactionAmount partial }
    }
  }
}
`,
  },
  {
    query: `# The latest transactions, page by page: give endCursor as $after.
query LatestTransactions($accountId: ID! = "acct-000001", $after: String) {
  account(id: $accountId) {
    transactions(window: {last: {count: 7, unit: DAY}}, first: 10, after: $after) {
      edges { node { time direction counterpartyId amount transactionId } }
      pageInfo { hasNextPage endCursor }
    }
  }
}
`,
  },
  {
    query: `# Is the pipeline up to date, and what has it counted?
query PipelineState {
  pipeline {
    asOf
    freshnessSeconds
    state
    dataSource
    entries
    rejected
    rejectedByReason { reason count }
  }
}
`,
  },
];

// A link from the documentation carries its example in the fragment, which no server sees.
const linked = new URLSearchParams(location.hash.slice(1));
const example = linked.has('query')
  ? { query: linked.get('query'), variables: linked.get('variables') ?? '' }
  : {};
if (example.query) TABS.unshift(example);

const fetcher = GraphiQL.createFetcher({ url: '/graphql' });
const root = ReactDOM.createRoot(document.getElementById('graphiql'));
root.render(
  React.createElement(GraphiQL, {
    fetcher,
    defaultTabs: TABS,
    ...example,
    defaultEditorToolsVisibility: 'variables',
    shouldPersistHeaders: false,
  }),
);
