import { setTimeout as after } from 'node:timers/promises'
import { oneOfEachEngine } from '../one-of-each-engine.ts'
import { overServices } from '../over-services.ts'
import { rssMb } from '../proc.ts'
import type { Point, Scale, Series } from '../results.ts'
import type { Scenario } from '../scenario.ts'
import { Stage } from '../stage.ts'
import { summarize } from '../statistics.ts'
import { combined } from '../turn-by-turn.ts'

const TURNS = { guard: 1, quick: 1, full: 1 }
const INSERTED = { guard: 100, quick: 10_000, full: 100_000 }
const INSERTED_BYTES = 100
const READ_MB = { guard: 1, quick: 10, full: 50 }
const ROW_BYTES = 10_000
const ROWS_PER_MB = 100
const LOOK_MS = 5
/** Memory is given back a moment after it was last used. */
const GIVEN_BACK_MS = { guard: 0, quick: 2_000, full: 5_000 }

/** Resident megabytes of one process. */
interface Memory {
  readonly before: number
  readonly atMost: number
  readonly after: number
}

interface Bulk {
  readonly insert: ReadonlyMap<string, Memory>
  readonly read: ReadonlyMap<string, Memory>
  readonly insertMs: number
  readonly readMs: number
}

export const bulk: Scenario = {
  name: 'bulk',
  title: 'A bulk insert and a large result: memory',
  scale: 'quick',
  needsLinux: true,
  async measure(context) {
    const { scale } = context
    const turns = await overServices(context, {
      turns: TURNS[scale],
      leaveOut: oneOfEachEngine(context),
      async measure(usable, turn): Promise<Bulk> {
        await using stage = await Stage.open(context, usable, { name: turn })
        const insert = await inOneGo(stage, scale, async (client) => {
          return (await client.ask('fill', 0, INSERTED[scale], INSERTED_BYTES, INSERTED[scale])).tookMs
        })
        await using second = await Stage.open(context, usable, { name: `${turn}-read` })
        const rows = READ_MB[scale] * ROWS_PER_MB
        const filler = await second.start()
        await filler.ask('connect')
        await filler.ask('fill', 0, rows, ROW_BYTES, ROWS_PER_MB)
        await second.rest()
        const read = await inOneGo(second, scale, async (client) => (await client.ask('read', rows)).tookMs)
        return { insert: insert.memory, read: read.memory, insertMs: insert.tookMs, readMs: read.tookMs }
      },
    })
    const [rows, megabytes] = [INSERTED[scale].toLocaleString('en'), READ_MB[scale]]
    const method =
      `One client inserts ${rows} rows of ${INSERTED_BYTES} bytes in one statement; on another, freshly started server one reads ${megabytes} MB in one ` +
      `result. The resident memory of guardian and server before, at most while that is going on (looked at every ${LOOK_MS} ms), and ` +
      `${GIVEN_BACK_MS[scale] / 1_000} s after it. An executable is a process of its own, and no data passes the guardian; the embedded server is the guardian.`
    return [
      {
        name: bulk.name,
        title: bulk.title,
        question: 'Does the guardian grow with the data that flow?',
        method,
        unit: 'MB',
        better: 'lower',
        axis: { title: 'when', scale: 'category' },
        ...combined(turns, (gave) => [
          ...memoryOf(
            `${rows} rows inserted`,
            gave.map(({ insert }) => insert),
          ),
          ...memoryOf(
            `${megabytes} MB read`,
            gave.map(({ read }) => read),
          ),
        ]),
      },
      {
        name: 'bulk-time',
        title: 'A bulk insert and a large result: time',
        question: 'How long does a client wait?',
        method,
        unit: 'ms',
        better: 'lower',
        ...combined(turns, (gave) => [
          { variant: `${rows} rows inserted`, points: [summarize(gave.map(({ insertMs }) => insertMs))] },
          { variant: `${megabytes} MB read`, points: [summarize(gave.map(({ readMs }) => readMs))] },
        ]),
      },
    ]
  },
}

async function inOneGo(
  stage: Stage,
  scale: Scale,
  act: (client: Awaited<ReturnType<Stage['start']>>) => Promise<number>,
): Promise<{ readonly tookMs: number; readonly memory: ReadonlyMap<string, Memory> }> {
  const client = await stage.start()
  const { server = 0, guardian = 0 } = await client.ask('connect')
  const pids = new Map([['guardian', guardian], ...(server === guardian ? [] : [['server', server] as const])])
  const look = (): ReadonlyMap<string, number> => new Map([...pids].map(([who, pid]) => [who, rssMb(pid)]))
  const before = look()
  let atMost = before
  const looking = new AbortController()
  const watching = (async () => {
    while (!looking.signal.aborted) {
      const now = look()
      atMost = new Map([...now].map(([who, mb]) => [who, Math.max(mb, atMost.get(who) ?? 0)]))
      await after(LOOK_MS)
    }
  })()
  try {
    const tookMs = await act(client)
    looking.abort()
    await watching
    await after(GIVEN_BACK_MS[scale])
    const later = look()
    const memory = [...before].map(([who, mb]) => {
      return [who, { before: mb, atMost: atMost.get(who) ?? 0, after: later.get(who) ?? 0 }] as const
    })
    return { tookMs, memory: new Map(memory) }
  } finally {
    looking.abort()
    await watching.catch(() => undefined)
  }
}

function memoryOf(what: string, turns: readonly ReadonlyMap<string, Memory>[]): readonly Omit<Series, 'subject'>[] {
  const [first = new Map<string, Memory>()] = turns
  return [...first.keys()].map((who) => {
    const seen = turns.flatMap((turn) => turn.get(who) ?? [])
    const at = (when: string, value: (memory: Memory) => number): Point => summarize(seen.map(value), when)
    const points = [
      at('before', ({ before }) => before),
      at('at most', ({ atMost }) => atMost),
      at('after', ({ after: later }) => later),
    ]
    return { variant: `${what}, ${who}`, points }
  })
}
