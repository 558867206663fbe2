import { saidBy } from '../actor/said-by.ts'
import { overServices } from '../over-services.ts'
import type { Scenario } from '../scenario.ts'
import { Stage } from '../stage.ts'
import { curveOf, summarize } from '../statistics.ts'
import { combined } from '../turn-by-turn.ts'

const SIZES = { guard: [1, 4], quick: [1, 8], full: [1, 10, 50, 200] }
const SLOTS = 256
/** Clients that came too late for each other must not meet different servers because of that. */
const LINGER_MS = 1_000

export const FIRST_CONNECTS_FAILED = 'first-connects-failed'
export const FIRST_CONNECTS_SERVERS = 'first-connects-servers'

interface Herd {
  readonly size: number
  readonly tookMs: readonly number[]
  readonly servers: number
  readonly failed: number
  /** Of the first that failed. */
  readonly message?: string
}

export const firstConnects: Scenario = {
  name: 'first-connects',
  title: 'Many first connects at the same moment',
  scale: 'quick',
  needsLinux: true,
  async measure(context) {
    const turns = await overServices(context, {
      turns: 1,
      leaveOut: ({ service }) => service.lacks.start ?? service.lacks.join,
      async measure(usable) {
        const herds: Herd[] = []
        for (const size of SIZES[context.scale]) {
          context.signal.throwIfAborted()
          context.say(`${usable.service.title}, ${size} clients`)
          await using stage = await Stage.open(context, usable, { name: size, slots: SLOTS, lingerMs: LINGER_MS })
          herds.push(await herd(stage, size))
        }
        return herds
      },
    })
    const method =
      `So many programs, all of them with their modules loaded and a pool of ${SLOTS} slots, are told to connect at the same moment, in ` +
      'an empty folder in which nothing runs.'
    const axis = { title: 'programs', scale: 'log' } as const
    const count = (name: string, title: string, question: string, value: (herd: Herd) => number) => ({
      ...{ name, title, question, method, axis },
      unit: 'count' as const,
      better: 'lower' as const,
      ...combined(turns, ([herds = []]) => [{ points: herds.map((one) => summarize([value(one)], one.size)) }]),
    })
    const unconnected = [...turns.turns].flatMap(([subject, [herds = []]]) =>
      herds.flatMap(({ size, failed, message }) =>
        message === undefined
          ? []
          : [{ subject, message: `${failed} of ${size} clients failed, the first with: ${message}` }],
      ),
    )
    return [
      {
        name: firstConnects.name,
        title: firstConnects.title,
        question: 'How long do programs wait that all come first?',
        method: `${method} Each sample is one program's wait.`,
        unit: 'ms',
        better: 'lower',
        axis,
        ...combined(turns, ([herds = []]) => {
          const points = herds.filter(({ tookMs }) => tookMs.length > 0).map((one) => summarize(one.tookMs, one.size))
          return [curveOf(points)]
        }),
        failed: [...turns.failed, ...unconnected],
      },
      count(
        FIRST_CONNECTS_FAILED,
        'Many first connects: how many failed',
        'Does everybody get its database?',
        ({ failed }) => failed,
      ),
      count(
        FIRST_CONNECTS_SERVERS,
        'Many first connects: how many servers they found',
        'Do all of them come to the same one?',
        ({ servers }) => servers,
      ),
    ]
  },
}

async function herd(stage: Stage, size: number): Promise<Herd> {
  const clients = await stage.startAll(size)
  const connects = await Promise.allSettled(clients.map((client) => client.ask('connect')))
  const failures = connects.flatMap((one) => (one.status === 'rejected' ? [saidBy(one.reason)] : []))
  const [message] = failures
  const done = connects.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
  return {
    size,
    tookMs: done.map(({ tookMs }) => tookMs),
    servers: new Set(done.map(({ server }) => server)).size,
    failed: failures.length,
    ...(message === undefined ? {} : { message }),
  }
}
