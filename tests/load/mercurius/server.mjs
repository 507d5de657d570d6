// Mercurius with graphql-jit on the stub data, as its documentation sets it up: node server.mjs SDL DATA PORT
import { readFileSync } from 'node:fs'
import Fastify from 'fastify'
import mercurius from 'mercurius'

const [sdlFile, dataFile, port] = process.argv.slice(2)
const data = JSON.parse(readFileSync(dataFile, 'utf8'))

// Answers are ready values: what Python computes (ranks, shares, time zones) costs nothing here.
const resolvers = {
  Query: {
    account: async (_, { id }) => ({ id }),
    network: async () => ({}),
    pipeline: async () => data.pipeline
  },
  Account: {
    totals: async (_, { direction }) => data[`totals${direction}`],
    topCounterparties: async (_, { first }) => data[`topCounterparties${first}`],
    timeSeries: async () => data.timeSeries,
    netFlow: async () => data.netFlow,
    transactions: async (_, { first }) => data[`transactions${first}`]
  },
  Network: {
    totals: async () => data.networkTotals
  }
}

const app = Fastify({ logger: false })
app.register(mercurius, { schema: readFileSync(sdlFile, 'utf8'), resolvers, jit: 1 })
await app.listen({ host: '127.0.0.1', port: Number(port) })
