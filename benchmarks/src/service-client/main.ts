// A client of a service: `main.js MODULE DIR SETTINGS`; see protocol.ts.
import { answerLines, type Requests } from '../actor/answer-lines.ts'
import { UnsupportedByNature } from '../actor/json-process.ts'
import type { ServiceSettings } from '../service.ts'
import { thinned } from '../thinned.ts'
import { connectBare } from './bare-connection.ts'
import type { OpenClient, ServiceConnection } from './open-client.ts'
import type { Answers } from './protocol.ts'
import { fillRows, lookUpRow, readRows, smallQuery } from './queries.ts'

const MOST_SAMPLES = 1_000
/** Modules, and what they compile when first used, are not what is measured. */
const WARM_UP_ROUNDS = 3

const [, , module = '', dir = '', settings = ''] = process.argv
const { open } = (await import(module)) as { open: OpenClient }
const client = open(dir, JSON.parse(settings) as ServiceSettings)
const connections: ServiceConnection[] = []

const requests: Requests = {
  async connect(): Promise<Answers['connect']> {
    const began = performance.now()
    const connection = await client.connect()
    const tookMs = performance.now() - began
    connections.push(connection)
    const { server, guardian } = connection
    return { tookMs, ...(server === undefined ? {} : { server }), ...(guardian === undefined ? {} : { guardian }) }
  },
  async close(): Promise<Answers['close']> {
    await connections.pop()?.close()
    return { closed: true }
  },
  async compare([rounds = 0]): Promise<Answers['compare']> {
    const { login } = newest()
    if (login === undefined) return unsupported('there is no server to which the bare SDK could connect')
    const own: number[] = []
    const bare: number[] = []
    for (let round = -WARM_UP_ROUNDS; round < rounds; round++) {
      // In turns, so that whatever else the machine does meets both; each goes first as often as the other.
      const sides = [
        async () => own.push(await timed(() => client.connect())),
        async () => bare.push(await timed(() => connectBare(login))),
      ]
      for (const measure of round % 2 === 0 ? sides : sides.reverse()) await measure()
    }
    return { own: own.slice(WARM_UP_ROUNDS), bare: bare.slice(WARM_UP_ROUNDS) }
  },
  async small([inFlight = 1, forMs = 0]): Promise<Answers['small']> {
    const { db } = newest()
    const { tookMs, latencyMs } = await repeat(inFlight, forMs, (n) => smallQuery(db, n))
    return { queries: latencyMs.length, tookMs, latencyMs: thinned(latencyMs, MOST_SAMPLES) }
  },
  async fill([from = 0, to = 0, bytes = 0, batch = 1]): Promise<Answers['fill']> {
    const began = performance.now()
    for (let first = from; first < to; first += batch) {
      await fillRows(newest().db, first, Math.min(to, first + batch), bytes)
    }
    return { tookMs: performance.now() - began }
  },
  async lookup([rows = 1, forMs = 0]): Promise<Answers['lookup']> {
    const { db } = newest()
    const { latencyMs } = await repeat(1, forMs, () => lookUpRow(db, Math.floor(Math.random() * rows)))
    return { queries: latencyMs.length, latencyMs: thinned(latencyMs, MOST_SAMPLES) }
  },
  async read([rows = 0]): Promise<Answers['read']> {
    const began = performance.now()
    const bytes = await readRows(newest().db, rows)
    return { tookMs: performance.now() - began, bytes }
  },
  async answer(): Promise<Answers['answer']> {
    await smallQuery(newest().db, 1)
    return { atNs: String(process.hrtime.bigint()) }
  },
}

function newest(): ServiceConnection {
  const connection = connections.at(-1)
  if (connection === undefined) throw new Error('it is not connected')
  return connection
}

async function timed(connect: () => Promise<{ close(): Promise<unknown> }>): Promise<number> {
  const began = performance.now()
  const connection = await connect()
  const took = performance.now() - began
  await connection.close()
  return took
}

/** Keeps so many under way for so long, and each at least once. */
async function repeat(
  inFlight: number,
  forMs: number,
  act: (n: number) => Promise<void>,
): Promise<{ readonly tookMs: number; readonly latencyMs: readonly number[] }> {
  const latencyMs: number[] = []
  const began = performance.now()
  let now = began
  const one = async (): Promise<void> => {
    do {
      const asked = performance.now()
      await act(latencyMs.length)
      now = performance.now()
      latencyMs.push(now - asked)
    } while (now - began < forMs)
  }
  await Promise.all(Array.from({ length: inFlight }, one))
  return { tookMs: now - began, latencyMs }
}

function unsupported(why: string): never {
  throw new UnsupportedByNature(why)
}

await answerLines(requests)
for (const connection of connections.reverse()) await connection.close()
// An engine in this process has threads that would keep it alive.
process.exit(0)
