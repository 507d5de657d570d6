// Mercurius with graphql-jit on the stub data, as its documentation sets it up: node server.mjs SDL DATA PORT
import { readFileSync } from 'node:fs'
import Fastify from 'fastify'
import { buildSchema, isObjectType } from 'graphql'
import mercurius from 'mercurius'

const [sdlFile, dataFile, port] = process.argv.slice(2)
const schema = readFileSync(sdlFile, 'utf8')
const data = JSON.parse(readFileSync(dataFile, 'utf8'))

// Answers are ready values by operation: what Python computes (ranks, shares, time zones) costs nothing here.
const told = (info) => info.fieldNodes[0].alias?.value ?? info.fieldName
const root = async (_, __, ___, info) => data[info.operation.name.value][told(info)]
const field = async (parent, _, __, info) => parent[told(info)]

// What takes arguments is asked for, under whatever name; all else is part of what came.
const types = Object.values(buildSchema(schema).getTypeMap()).filter((type) => isObjectType(type) && !type.name.startsWith('__'))
const each = (type, resolver, which = () => true) =>
  Object.fromEntries(Object.values(type.getFields()).filter(which).map(({ name }) => [name, resolver]))
const resolvers = Object.fromEntries(types.map((type) => [type.name, each(type, field, ({ args }) => args.length > 0)]))
resolvers.Query = each(types.find(({ name }) => name === 'Query'), root)
delete resolvers.Subscription

const app = Fastify({ logger: false })
app.register(mercurius, { schema, resolvers, jit: 1 })
await app.listen({ host: '127.0.0.1', port: Number(port) })
