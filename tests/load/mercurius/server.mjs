// Mercurius with graphql-jit on the stub data, as its documentation sets it up: node server.mjs SDL DATA PORT
import { readFileSync } from 'node:fs'
import Fastify from 'fastify'
import mercurius from 'mercurius'

const [sdlFile, dataFile, port] = process.argv.slice(2)
const data = JSON.parse(readFileSync(dataFile, 'utf8'))

// Answers are ready values by operation: what Python computes (ranks, shares, time zones) costs nothing here.
const root = async (_, __, ___, info) => data[info.operation.name.value][info.fieldName]
const field = (name) => async (parent) => parent[name]
const answers = {
  totals: async (parent, { direction }) => parent.totals ?? parent[direction.toLowerCase()],
  timeSeries: field('timeSeries')
}
const resolvers = {
  Query: { account: root, accounts: root, network: root, pipeline: root, limits: root },
  Account: {
    ...answers,
    topCounterparties: field('topCounterparties'),
    netFlow: field('netFlow'),
    transactions: field('transactions')
  },
  Network: { ...answers, topAccounts: field('topAccounts') }
}

const app = Fastify({ logger: false })
app.register(mercurius, { schema: readFileSync(sdlFile, 'utf8'), resolvers, jit: 1 })
await app.listen({ host: '127.0.0.1', port: Number(port) })
