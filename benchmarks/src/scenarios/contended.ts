import { join } from 'node:path'
import { unfitForSharing } from '../fits.ts'
import { turnsOfSubjects } from '../over-subjects.ts'
import type { Scenario, ScenarioContext, UsableSubject } from '../scenario.ts'
import { summarizeTurns } from '../statistics.ts'
import { thinned } from '../thinned.ts'
import { combined } from '../turn-by-turn.ts'
import { withActors } from '../with-actors.ts'

const PROCESSES = { guard: [2, 8], quick: [8], full: [2, 8, 32] }
const TURNS = { guard: 1, quick: 1, full: 2 }
const COMPETE_MS = { guard: 200, quick: 300, full: 1_000 }
/** So many of its waits speak for each process: one that starves counts as much as one that has all the permits. */
const WAITS_A_PROCESS = 100

const ONE = 'one permit'
const HALF = 'half as many permits'

/** What one number of processes met in one turn. */
interface Crowd {
  readonly variant: string
  readonly processes: number
  readonly waitsUs: readonly number[]
  readonly claimsPerSecond: number
}

export const contended: Scenario = {
  name: 'contended',
  title: 'Permits that others want as well: how long a claim waits',
  scale: 'quick',
  async measure(context) {
    const measured = await turnsOfSubjects(context, {
      turns: TURNS[context.scale],
      leaveOut: unfitForSharing,
      measure: (usable, turn) => crowdsOf(context, usable, turn),
    })
    const method =
      `${PROCESSES[context.scale].join(', ')} processes claim, waiting if they have to, and release at once, again and again for ` +
      `${COMPETE_MS[context.scale]} ms: one permit for all of them, and half as many permits as processes. Turns: ${TURNS[context.scale]}.`
    const axis = { title: 'processes', scale: 'log' } as const
    return [
      {
        name: contended.name,
        title: contended.title,
        question: 'How long does a program wait for its permit when others want it too?',
        method: `${method} ${WAITS_A_PROCESS} of its waits speak for each process, so the slowest hundredth is what the unlucky processes meet.`,
        unit: 'µs',
        better: 'lower',
        axis,
        ...combined(measured, (turns) => seriesOfCrowds(turns, ({ waitsUs }) => waitsUs)),
      },
      {
        name: 'contended-throughput',
        title: 'Permits that others want as well: claims of all together',
        question: 'How many claims does a machine get done when all of them want the same permits?',
        method: `${method} Each sample is the sum over all processes of one turn.`,
        unit: 'per second',
        better: 'higher',
        axis,
        ...combined(measured, (turns) => seriesOfCrowds(turns, ({ claimsPerSecond }) => [claimsPerSecond])),
      },
    ]
  },
}

async function crowdsOf(context: ScenarioContext, usable: UsableSubject, turn: number): Promise<readonly Crowd[]> {
  const { subject } = usable
  const competing = COMPETE_MS[context.scale]
  const at = (slots: number) => ({
    prepared: usable.prepared,
    dir: join(context.home, `${subject.name}-${turn}-${slots}`),
    slots,
  })
  // One after the other with the same processes: those that are not asked wait at their standard input.
  const withOne = await crowds(at(1), PROCESSES[context.scale], competing, ONE)
  const withHalf: Crowd[] = []
  // Two processes have one permit: that is measured already.
  for (const processes of PROCESSES[context.scale].slice(1)) {
    if (processes / 2 > subject.maxSlots) continue
    withHalf.push(...(await crowds(at(processes / 2), [processes], competing, HALF)))
  }
  return [...withOne, ...withHalf]
}

async function crowds(
  place: Parameters<typeof withActors>[0],
  sizes: readonly number[],
  milliseconds: number,
  variant: string,
): Promise<readonly Crowd[]> {
  return await withActors(place, async ({ start }) => {
    const actors = await start(Math.max(...sizes))
    const found: Crowd[] = []
    for (const processes of sizes) {
      const each = await Promise.all(actors.slice(0, processes).map((actor) => actor.ask('compete', milliseconds)))
      found.push({
        variant,
        processes,
        waitsUs: each.flatMap(({ waitNs }) => evenly(waitNs).map((ns) => ns / 1_000)),
        claimsPerSecond: each.reduce((sum, { claims }) => sum + claims, 0) / (milliseconds / 1_000),
      })
    }
    return found
  })
}

/** The same number from every process. */
function evenly(waits: readonly number[]): readonly number[] {
  const few = thinned(waits, WAITS_A_PROCESS)
  return Array.from({ length: WAITS_A_PROCESS }, (_, n) => few[Math.floor((n * few.length) / WAITS_A_PROCESS)] ?? 0)
}

function seriesOfCrowds(turns: readonly (readonly Crowd[])[], values: (crowd: Crowd) => readonly number[]) {
  return [ONE, HALF].flatMap((variant) => {
    const points = PROCESSES.full.flatMap((processes) => {
      const crowd = turns.map((turn) => turn.find((one) => one.variant === variant && one.processes === processes))
      const found = crowd.filter((one) => one !== undefined)
      return found.length === 0 ? [] : [summarizeTurns(found.map(values), processes)]
    })
    return points.length === 0 ? [] : [{ variant, points }]
  })
}
