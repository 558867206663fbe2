import { oneOfEachEngine } from '../one-of-each-engine.ts'
import { overServices } from '../over-services.ts'
import { rssMb } from '../proc.ts'
import type { Scenario } from '../scenario.ts'
import { Stage } from '../stage.ts'
import { curveOf, summarize } from '../statistics.ts'
import { combined } from '../turn-by-turn.ts'

const MEGABYTES = { guard: [1], quick: [1, 4, 16], full: [1, 10, 100, 1_000] }
const STARTS = { guard: 1, quick: 1, full: 5 }
const LOOKUP_MS = { guard: 100, quick: 500, full: 3_000 }
const ROW_BYTES = 10_000
const ROWS_PER_MB = 100
/** A megabyte a request, ten a turn: no request takes long. */
const BATCH = ROWS_PER_MB
const CHUNK = 10 * ROWS_PER_MB

interface Grown {
  readonly megabytes: number
  readonly startMs: readonly number[]
  readonly lookupMs: readonly number[]
  readonly serverMb: readonly number[]
}

export const growingDatabase: Scenario = {
  name: 'growing-database',
  title: 'A larger database: start-up',
  scale: 'quick',
  needsLinux: true,
  async measure(context) {
    const turns = await overServices(context, {
      turns: 1,
      leaveOut: oneOfEachEngine(context),
      async measure(usable) {
        await using stage = await Stage.open(context, usable, { name: 'grown' })
        const grown: Grown[] = []
        let rows = 0
        for (const megabytes of MEGABYTES[context.scale]) {
          context.say(`${usable.service.title}, ${megabytes} MB`)
          const wanted = megabytes * ROWS_PER_MB
          await fill(stage, rows, wanted)
          rows = wanted
          const starts = []
          while (starts.length < STARTS[context.scale])
            starts.push(await startOn(stage, rows, LOOKUP_MS[context.scale]))
          grown.push({
            megabytes,
            startMs: starts.map(({ tookMs }) => tookMs),
            lookupMs: starts.flatMap(({ latencyMs }) => latencyMs),
            serverMb: starts.map(({ serverMb }) => serverMb),
          })
        }
        return grown
      },
    })
    const method =
      `A database (rocksdb) gets rows of ${ROW_BYTES / 1_000} kB that cannot be compressed until it has that size. Then the server is stopped and ` +
      `started by the first connect, ${STARTS[context.scale]} times; each time rows are read by their id, at random, for ${LOOKUP_MS[context.scale]} ms. ` +
      'The files are in the system’s cache: what is measured is the work, not the disk.'
    const curve = (value: (grown: Grown) => readonly number[]) =>
      combined(turns, ([grown = []]) => [curveOf(grown.map((one) => summarize(value(one), one.megabytes)))])
    const axis = { title: 'MB in the database', scale: 'log' } as const
    return [
      {
        name: growingDatabase.name,
        title: growingDatabase.title,
        question: 'Does the first connect take longer when there is more data?',
        method,
        unit: 'ms',
        better: 'lower',
        axis,
        ...curve(({ startMs }) => startMs),
      },
      {
        name: 'growing-database-lookup',
        title: 'A larger database: a row by its id',
        question: 'Does a read take longer when there is more data?',
        method,
        unit: 'ms',
        better: 'lower',
        axis,
        ...curve(({ lookupMs }) => lookupMs),
      },
      {
        name: 'growing-database-memory',
        title: 'A larger database: memory of the server',
        question: 'How much of the data is kept in memory?',
        method: `${method} Resident memory of the process that answers, after the reads.`,
        unit: 'MB',
        better: 'lower',
        axis,
        ...curve(({ serverMb }) => serverMb),
      },
    ]
  },
}

async function fill(stage: Stage, from: number, to: number): Promise<void> {
  const client = await stage.start()
  await client.ask('connect')
  for (let first = from; first < to; first += CHUNK) {
    await client.ask('fill', first, Math.min(to, first + CHUNK), ROW_BYTES, BATCH)
  }
  await stage.rest()
}

async function startOn(stage: Stage, rows: number, lookupMs: number) {
  const client = await stage.start()
  const { tookMs, server = 0 } = await client.ask('connect')
  const { latencyMs } = await client.ask('lookup', rows, lookupMs)
  const serverMb = rssMb(server)
  await stage.rest()
  return { tookMs, latencyMs, serverMb }
}
