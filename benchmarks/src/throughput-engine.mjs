// The engine alone in one process, for `throughput.mjs`: `run IN_FLIGHT MS` is answered with `ran QUERIES MS CPU_US`. Requests are made
// and answers looked at as cheaply as can be: what is measured is `execute`, which every query of a server in JavaScript has to pay.
// `calls` is answered with the microseconds of processor that calls of several kinds take, `costs JSON`. With `as-served` the engine has the environment that the server gives it, else that of any program that loads it.
import { createRequire } from 'node:module'
import { createInterface } from 'node:readline'
import { CborCodec, Uuid } from 'surrealdb'
import { prepareEnvironment } from '../../packages/embedded/dist/engine-environment.js'
import { findPlatformBinary } from '../../packages/embedded/dist/platform-binary.js'

const codec = new CborCodec({})
const session = new Uuid('11111111-1111-4111-8111-111111111111')
if (process.argv[2] === 'as-served') prepareEnvironment()
const { SurrealNodeEngine } = createRequire(import.meta.url)(findPlatformBinary().file)
const engine = await SurrealNodeEngine.connect('mem://')
const call = (method, params) => engine.execute(codec.encode({ method, params, session }))
await call('attach', [])
await call('use', ['main', 'main'])
const request = codec.encode({ method: 'query', session, params: ['RETURN $x + 1', { x: 1 }] })
const [answer] = codec.decode(await engine.execute(request))
if (answer.result !== 2) throw new Error(`the engine answered ${JSON.stringify(answer)}`)
console.log('connected')
for await (const line of createInterface({ input: process.stdin })) {
  if (line === 'calls') {
    console.log(`costs ${JSON.stringify(await costsOfCalls())}`)
    continue
  }
  const [, inFlight, forMs] = line.split(' ').map(Number)
  const cpu = process.cpuUsage()
  const began = performance.now()
  let queries = 0
  const ask = async () => {
    for (; performance.now() - began < forMs; queries++) await engine.execute(request)
  }
  await Promise.all(Array.from({ length: inFlight }, ask))
  const took = performance.now() - began
  const { user, system } = process.cpuUsage(cpu)
  console.log(`ran ${queries} ${took} ${user + system}`)
}
process.exit(0)

/** The least of several times: what others did on the machine is not in it. */
async function costsOfCalls() {
  const [ROUNDS, CALLS, TOGETHER] = [20, 400, 8]
  const calls = {
    ping: ['ping', []],
    notParsed: ['query', ['RETURN']],
    emptyQuery: ['query', ['']],
    oneStatement: ['query', ['RETURN 1']],
    tenStatements: ['query', ['RETURN 1;'.repeat(10)]],
  }
  const costs = {}
  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, [method, params]] of Object.entries(calls)) {
      const bytes = codec.encode({ method, params, session })
      const { user, system } = process.cpuUsage()
      for (let n = 0; n < CALLS; n += TOGETHER) {
        await Promise.all(Array.from({ length: TOGETHER }, () => engine.execute(bytes)))
      }
      const used = process.cpuUsage({ user, system })
      costs[name] = Math.min(costs[name] ?? Number.POSITIVE_INFINITY, (used.user + used.system) / CALLS)
    }
  }
  return costs
}
