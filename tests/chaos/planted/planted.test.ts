import { canGroup } from '@procref/testing'
import { describe, expect, test } from 'vitest'
import { clientsOf, DRIVERS, type Driver } from '../../service/service.ts'
import { clientsOfInstallation } from '../../service/versions.ts'
import { type Plan, planOf } from '../plan.ts'
import { finding } from '../report.ts'
import { OURS, type Outcome, type Patience } from '../round.ts'
import { playRounds } from '../rounds.ts'
import { BUGS } from './bugs.ts'
import { plant } from './plant.ts'
import type { PlantedBug, Seen, WrittenRound } from './planted-bug.ts'
import { seenIn } from './seen.ts'

if (!canGroup()) console.warn('NOT RUN without root and cgroup v2: bugs that rounds of chaos have to find')

/** Whoever needs more has not found it. */
const ROUNDS = 12
const AT_ONCE = 3
const TIME_LIMIT_MS = 900_000
/** Longer than a crash loop bars the next start. */
const PATIENCE: Patience = { until: 'the first violation', settleMs: 75_000 }

const here = BUGS.filter(({ driver }) => driver === undefined || DRIVERS.includes(driver))
const inSteps = here.flatMap((bug) => ('scenario' in bug.hint ? [{ ...bug, ...bug.hint }] : []))
const inRounds = here.filter(({ hint }) => !('scenario' in hint))
const written = here.flatMap((bug) => ('round' in bug.hint ? [{ ...bug, ...bug.hint }] : []))

describe.runIf(canGroup())('rounds of chaos', () => {
  test.each(inRounds)('find out that $name', { timeout: TIME_LIMIT_MS }, async (bug) => {
    const outcomes: Outcome[] = []
    const told = (outcome: Outcome): boolean => {
      outcomes.push(outcome)
      return outcome.violations.length === 0
    }
    await playRounds(plansFor(bug), AT_ONCE, told, plant(bug, 'tests/chaos/children'), PATIENCE)
    const found = outcomes.filter(({ violations }) => violations.length > 0)
    const all = found.map(finding).join('\n\n')
    expect(found.length, `in ${outcomes.length} rounds`).toBeGreaterThan(0)
    const seen = found.flatMap(({ violations }) => violations.map(seenIn))
    expect(seen, all).not.toContain(undefined)
    expect(
      bug.seenAs.some((expected) => seen.includes(expected)),
      `${seen}, not ${bug.seenAs}:\n${all}`,
    ).toBe(true)
  })

  test.each(written)(
    'find nothing without it in the round that shows that $name',
    { timeout: TIME_LIMIT_MS },
    async (bug) => {
      const outcomes: Outcome[] = []
      await playRounds(
        [planOfWritten(bug.round, driverFor(bug, 1), 1)],
        1,
        (outcome) => outcomes.push(outcome) > 0,
        OURS,
      )
      expect(
        outcomes.flatMap(({ violations }) => violations),
        outcomes.map(finding).join(),
      ).toEqual([])
    },
  )
})

describe('steps that only a test can force', () => {
  test.each(inSteps)('show that $name', async (bug) => {
    const start = clientsOfInstallation(plant(bug, 'tests/service/children'))
    const seen = await bug.scenario((dir, options = {}) => start(dir, { driver: driverFor(bug, 1), ...options }))
    expect(bug.seenAs).toContain(seen)
  })

  test.each(inSteps)('show nothing unless $name', async (bug) => {
    expect(await bug.scenario(clientsOf(driverFor(bug, 1)))).toBeUndefined()
  })
})

test('each kind of thing that can go wrong is what some bug does', () => {
  const kinds: Readonly<Record<Seen, true>> = {
    'two servers on one data directory': true,
    'a server stopped under a lease': true,
    'an acknowledged write lost': true,
    'something left behind': true,
    'a caller without an answer': true,
    'a foreign process signalled': true,
    'a stranger on the port heard something': true,
  }
  expect(new Set(BUGS.flatMap(({ seenAs }) => seenAs))).toEqual(new Set(Object.keys(kinds)))
})

function plansFor(bug: PlantedBug): readonly Plan[] {
  const { hint } = bug
  return Array.from({ length: ROUNDS }, (_, n) => {
    const driver = driverFor(bug, n)
    return 'round' in hint
      ? planOfWritten(hint.round, driver, n)
      : planOf(n, driver, 'faults' in hint ? hint.faults : [])
  })
}

function driverFor({ driver }: PlantedBug, n: number): Driver {
  return driver ?? DRIVERS[n % DRIVERS.length] ?? 'embedded'
}

function planOfWritten({ clients, lingerMs, steps }: WrittenRound, driver: Driver, seed: number): Plan {
  const kinds = [...new Set(steps.map(({ kind }) => kind))]
  return { seed, driver, storage: 'rocksdb', kinds, clients, lingerMs, steps }
}
