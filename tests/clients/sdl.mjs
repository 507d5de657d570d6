// Builds an SDL with graphql-js of before @oneOf and of after it; prints what each knows of it.
import { readFileSync } from 'node:fs';
import * as graphql15 from 'graphql-15';
import * as graphql160 from 'graphql-16.0';
import * as graphql16 from 'graphql';

const sdl = readFileSync(process.argv[2], 'utf-8');
const told = [graphql15, graphql160, graphql16].map(({ buildSchema, validateSchema, version }) => {
  const schema = buildSchema(sdl);
  const errors = validateSchema(schema).length;
  return { version, errors, oneOf: schema.getType('WindowInput').isOneOf ?? null };
});
console.log(JSON.stringify(told));
