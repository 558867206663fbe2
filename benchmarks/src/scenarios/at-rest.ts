import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as after } from 'node:timers/promises'
import { saidBy } from '../actor/said-by.ts'
import { processorNs, rssMb, voluntarySwitches } from '../proc.ts'
import type { Series } from '../results.ts'
import type { Gathered, Scenario, ScenarioContext, UsableService } from '../scenario.ts'
import { Stage } from '../stage.ts'
import { summarize } from '../statistics.ts'

const WINDOWS = { guard: 1, quick: 3, full: 60 }
const WINDOW_MS = { guard: 1_000, quick: 5_000, full: 10_000 }
/** What a start leaves to do (compiling, collecting garbage) is not rest. */
const SETTLE_MS = { guard: 0, quick: 5_000, full: 30_000 }

export const AT_REST_SWITCHES = 'at-rest'
export const AT_REST_MEMORY = 'at-rest-memory'
export const BEYOND_NODE = 'beyond a bare Node process'

interface Window {
  readonly switchesPerSecond: number
  readonly processorMsPerSecond: number
  readonly rssMb: number
  readonly bareRssMb: number
}

export const atRest: Scenario = {
  name: 'at-rest',
  title: 'The guardian at rest',
  scale: 'quick',
  needsLinux: true,
  async measure(context) {
    const { gathered, windows } = await watchAll(context)
    const seconds = (WINDOWS[context.scale] * WINDOW_MS[context.scale]) / 1_000
    const method =
      `One client is connected and does nothing for ${seconds} s. Whoever watches for the end of it (the guardian; the supervisor or watcher of ` +
      `others) is looked at every ${WINDOW_MS[context.scale] / 1_000} s, all its threads together; all services at the same time.`
    const series = (make: (windows: readonly Window[]) => readonly Omit<Series, 'subject'>[]): Gathered => ({
      ...gathered,
      series: [...windows].flatMap(([subject, seen]) => make(seen).map((one) => ({ subject, ...one }))),
    })
    const of = (value: (window: Window) => number) => (seen: readonly Window[]) => [
      { points: [summarize(seen.map(value))] },
    ]
    return [
      {
        name: AT_REST_SWITCHES,
        title: 'The guardian at rest: wake-ups',
        question: 'How often does it wake up when nothing happens?',
        method: `${method} Voluntary context switches.`,
        unit: 'per second',
        better: 'lower',
        ...series(of(({ switchesPerSecond }) => switchesPerSecond)),
      },
      {
        name: 'at-rest-processor',
        title: 'The guardian at rest: processor time a second',
        question: 'What does it take from the processor when nothing happens?',
        method,
        unit: 'ms',
        better: 'lower',
        ...series(of(({ processorMsPerSecond }) => processorMsPerSecond)),
      },
      {
        name: AT_REST_MEMORY,
        title: 'The guardian at rest: memory',
        question: 'What does it cost that it is there?',
        method: `${method} Resident memory, also as the difference to a Node process beside it that does nothing.`,
        unit: 'MB',
        better: 'lower',
        ...series((seen) => [
          { points: [summarize(seen.map((window) => window.rssMb))] },
          { variant: BEYOND_NODE, points: [summarize(seen.map((window) => window.rssMb - window.bareRssMb))] },
        ]),
      },
    ]
  },
}

/** All at the same time: ten minutes one after the other would be hours. */
async function watchAll(
  context: ScenarioContext,
): Promise<{ readonly gathered: Omit<Gathered, 'series'>; readonly windows: ReadonlyMap<string, readonly Window[]> }> {
  const leftOut = context.services.flatMap(({ service }) =>
    service.lacks.stop === undefined ? [] : [{ subject: service.name, reason: service.lacks.stop }],
  )
  const failed: { subject: string; message: string }[] = []
  const windows = new Map<string, readonly Window[]>()
  const bare = spawn(process.execPath, ['-e', 'process.stdin.resume()'], { stdio: ['pipe', 'ignore', 'ignore'] })
  const bareExited = once(bare, 'exit')
  try {
    const { pid } = bare
    if (pid === undefined) throw new Error('node could not be started')
    const taking = context.services.filter(({ service }) => service.lacks.stop === undefined)
    context.say(`${taking.length} services rest, each with one client`)
    await Promise.all(
      taking.map(async (usable) => {
        try {
          windows.set(usable.service.name, await watch(context, usable, pid))
        } catch (error) {
          failed.push({ subject: usable.service.name, message: saidBy(error) })
        }
      }),
    )
    // Only now: all that was started has ended.
    context.signal.throwIfAborted()
    // In the order of the report, whoever was ready first.
    const ordered = taking.flatMap(({ service }) => {
      const seen = windows.get(service.name)
      return seen === undefined ? [] : [[service.name, seen] as const]
    })
    return { gathered: { leftOut, failed }, windows: new Map(ordered) }
  } finally {
    bare.kill('SIGKILL')
    await bareExited
  }
}

async function watch(context: ScenarioContext, usable: UsableService, bare: number): Promise<readonly Window[]> {
  await using stage = await Stage.open(context, usable, { name: 'rest' })
  const client = await stage.start()
  const { guardian } = await client.ask('connect')
  if (guardian === undefined) throw new Error('it does not tell who watches')
  await after(SETTLE_MS[context.scale], undefined, { signal: context.signal })
  const windows: Window[] = []
  while (windows.length < WINDOWS[context.scale]) {
    const [began, switches, processor] = [performance.now(), voluntarySwitches(guardian), processorNs(guardian)]
    await after(WINDOW_MS[context.scale], undefined, { signal: context.signal })
    const seconds = (performance.now() - began) / 1_000
    windows.push({
      switchesPerSecond: (voluntarySwitches(guardian) - switches) / seconds,
      processorMsPerSecond: (processorNs(guardian) - processor) / 1e6 / seconds,
      rssMb: rssMb(guardian),
      bareRssMb: rssMb(bare),
    })
  }
  return windows
}
