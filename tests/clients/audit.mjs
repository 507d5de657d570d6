// The public audit of GraphQL over HTTP: every check of graphql-http must be ok.
import { auditServer } from 'graphql-http';

const results = await auditServer({ url: process.argv[2], fetchFn: fetch });
const failed = results.filter((result) => result.status !== 'ok');
for (const result of failed) {
  console.log(result.status, result.id, result.name, '->', result.reason);
}
console.log(`${results.length - failed.length} of ${results.length}`);
process.exit(failed.length ? 1 : 0);
