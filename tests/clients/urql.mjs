// urql with its default headers, which list event streams and multipart at their end.
import { Client, fetchExchange, gql } from '@urql/core';
import { readFileSync } from 'node:fs';

const [url, document] = process.argv.slice(2);
const client = new Client({ url, exchanges: [fetchExchange] });
const query = gql(readFileSync(document, 'utf8'));
const { data, error } = await client.query(query, { accountId: 'acct-000001' }).toPromise();
if (error) {
  throw error;
}
console.log(JSON.stringify({ rows: data.account.topCounterparties.rows.length }));
