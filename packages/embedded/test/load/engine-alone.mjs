// The engine's own binary with nothing of ours around it but its environment: `node engine-alone.mjs ENDPOINT ACT STATEMENTS`. Does the act a hundred
// times for each `more`.
import { createRequire } from 'node:module'
import { obey, say, sayFailed } from '@procref/testing/child'
import { CborCodec, Uuid } from 'surrealdb'
import { prepareEnvironment } from '../../dist/engine-environment.js'
import { findPlatformBinary } from '../../dist/platform-binary.js'
import { collectGarbage, memoryHere } from '../children/memory-here.mjs'

const [, , endpoint, act, statements] = process.argv
/** What the engine reads of the environment and we would take out: how its storage is to be set up. */
const STORAGE = Object.entries(process.env).filter(([name]) => name.startsWith('SURREAL_ROCKSDB_'))
const A_TIME = 100

prepareEnvironment()
for (const [name, value] of STORAGE) process.env[name] = value
const { SurrealNodeEngine } = createRequire(import.meta.url)(findPlatformBinary().file)
const codec = new CborCodec({})
const owner = new Uuid('11111111-1111-4111-8111-111111111111')
let sessions = 0

async function call(engine, method, params = [], session = owner) {
  const answer = codec.decode(await engine.execute(codec.encode({ method, params, session })))
  if (answer?.error !== undefined) throw new Error(`${method}: ${JSON.stringify(answer.error)}`)
  const failed = method === 'query' ? answer.find(({ status }) => status !== 'OK') : undefined
  if (failed !== undefined) throw new Error(`${params[0]}: ${failed.result}`)
}

const ACTS = {
  'sign-ins': async (engine) => {
    const session = new Uuid(`22222222-2222-4222-8222-${String(++sessions).padStart(12, '0')}`)
    await call(engine, 'attach', [], session)
    await call(engine, 'signin', [{ user: 'root', pass: 'secret' }], session)
    await call(engine, 'use', ['main', 'main'], session)
    await call(engine, 'detach', [], session)
  },
  statements: (engine, n) => call(engine, 'query', [statements, { n }]),
}

async function open() {
  const engine = await SurrealNodeEngine.connect(endpoint)
  await call(engine, 'attach')
  await call(engine, 'query', ['DEFINE NAMESPACE IF NOT EXISTS main; USE NS main; DEFINE DATABASE IF NOT EXISTS main'])
  await call(engine, 'query', ["DEFINE USER root ON ROOT PASSWORD 'secret' ROLES OWNER"])
  await call(engine, 'use', ['main', 'main'])
  say('ready')
  return engine
}

const opened = open()
opened.catch(sayFailed)
let done = 0

obey({
  more: async () => {
    const engine = await opened
    for (let n = 0; n < A_TIME; n++) await ACTS[act](engine, done++)
    say('done', { done })
  },
  memory: () => say('memory', memoryHere()),
  collect: async () => {
    await collectGarbage()
    say('collected', memoryHere())
  },
})
