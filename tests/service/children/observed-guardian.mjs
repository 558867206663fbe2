// A guardian as connect() launches it (`guardianProgram`), which says what is in it when it is asked (SIGUSR2): see ../insides.ts.
import { renameSync, writeFileSync } from 'node:fs'
import { queryObjects } from 'node:v8'
import { guardian } from '@procref/lifecycle/guardian'
import { ClientStream } from '../../../packages/embedded/dist/client-stream.js'
import { Engine } from '../../../packages/embedded/dist/engine.js'
import { RpcClient } from '../../../packages/embedded/dist/rpc-client.js'
import { Sessions } from '../../../packages/embedded/dist/sessions.js'
import { WsConnection } from '../../../packages/embedded/dist/ws-connection.js'

/** Those that the engine was told to begin, and not yet to end. */
let sessions = 0
const CHANGES = { attach: 1, detach: -1 }

const call = Engine.prototype.call
Engine.prototype.call = async function (request) {
  const answer = await call.call(this, request)
  if ('result' in answer) sessions += CHANGES[request.method] ?? 0
  return answer
}

/** Counting collects all garbage first. */
function insides() {
  const constructors = { WsConnection, ClientStream, RpcClient, Sessions }
  const counts = Object.entries(constructors).map(([name, of]) => [name, queryObjects(of)])
  const resources = {}
  for (const kind of process.getActiveResourcesInfo()) resources[kind] = (resources[kind] ?? 0) + 1
  return { sessions, objects: Object.fromEntries(counts), resources, heapBytes: process.memoryUsage().heapUsed }
}

// Its first argument is its setup; the process that only leaves it an orphan has others.
const [, , first = ''] = process.argv
if (first.startsWith('{')) {
  const path = `${JSON.parse(first).dir}.insides.json`
  process.on('SIGUSR2', () => {
    writeFileSync(`${path}.new`, JSON.stringify(insides()))
    renameSync(`${path}.new`, path)
  })
}
guardian()
