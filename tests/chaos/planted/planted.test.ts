import { canGroup } from '@procref/testing'
import { describe, expect, test } from 'vitest'
import { clientsOf, DRIVERS, type Driver } from '../../service/service.ts'
import { clientsOfInstallation } from '../../service/versions.ts'
import type { FaultKind } from '../faults/index.ts'
import { type Plan, planOf } from '../plan.ts'
import { finding } from '../report.ts'
import { OURS, type Outcome, type Patience } from '../round.ts'
import { playRounds } from '../rounds.ts'
import { faketime } from '../surroundings.ts'
import type { Broken } from '../violation.ts'
import { BUGS } from './bugs.ts'
import { plant } from './plant.ts'
import type { PlantedBug, WrittenRound } from './planted-bug.ts'

if (!canGroup()) console.warn('NOT RUN without root and cgroup v2: bugs that rounds of chaos have to find')

/** Whoever needs more has not found it. */
const ROUNDS = 12
const AT_ONCE = 2
const TIME_LIMIT_MS = 900_000
/** A scenario waits for several things, one after the other. */
const SCENARIO_LIMIT_MS = 300_000
/** Longer than a crash loop bars the next start. */
const PATIENCE: Patience = { until: 'the first violation', settleMs: 75_000 }

const clocks = faketime() !== undefined
if (!clocks)
  console.warn('NOT RUN without libfaketime (Debian: apt install faketime): bugs that need a clock that jumps')

const everyBug = process.env.PROCREF_EVERY_PLANTED_BUG === '1'
/** In CI every other one of those that are quick. */
const here = BUGS.filter((bug) => everyBug || !bug.slow).filter(
  (bug, n) =>
    (everyBug || n % 2 === 0) &&
    (bug.driver === undefined || DRIVERS.includes(bug.driver)) &&
    (clocks || !kindsOf(bug).includes('clock-step')),
)
const inSteps = here.flatMap((bug) => ('scenario' in bug.hint ? [{ ...bug, ...bug.hint }] : []))
const inRounds = here.filter(({ hint }) => !('scenario' in hint))
const written = here.flatMap((bug) => ('round' in bug.hint ? [{ ...bug, ...bug.hint }] : []))
/** One bug of each: some share it. */
const rounds = [...new Map(written.map((bug) => [bug.round, bug])).values()]

describe.runIf(canGroup())('rounds of chaos', () => {
  test.each(named(inRounds))('find out that %s', { timeout: TIME_LIMIT_MS }, async (_name, bug) => {
    const outcomes: Outcome[] = []
    const told = (outcome: Outcome): boolean => {
      outcomes.push(outcome)
      return outcome.violations.length === 0
    }
    // One that is written down is found in the first round as a rule.
    const atOnce = 'round' in bug.hint ? 1 : AT_ONCE
    await playRounds(plansFor(bug), atOnce, told, plant(bug, 'tests/chaos/children'), PATIENCE)
    const found = outcomes.filter(({ violations }) => violations.length > 0)
    const all = found.map(finding).join('\n\n')
    expect(found.length, `in ${outcomes.length} rounds`).toBeGreaterThan(0)
    const seen = found.flatMap(({ violations }) => violations.map(({ broken }) => broken))
    expect(seen, all).not.toContain('the round itself')
    expect(
      bug.seenAs.some((expected) => seen.includes(expected)),
      `${seen}, not ${bug.seenAs}:\n${all}`,
    ).toBe(true)
  })

  test.each(named(rounds))(
    'find nothing in the round that shows that %s, where that is not so',
    { timeout: TIME_LIMIT_MS },
    async (_name, bug) => {
      const outcomes: Outcome[] = []
      await playRounds(
        [writtenPlan(bug, bug.round, driverFor(bug, 1), 1)],
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
  test.each(named(inSteps))('show that %s', { timeout: SCENARIO_LIMIT_MS }, async (_name, bug) => {
    const start = clientsOfInstallation(plant(bug, 'tests/service/children'))
    const seen = await bug.scenario((dir, options = {}) => start(dir, { driver: driverFor(bug, 1), ...options }))
    expect(bug.seenAs).toContain(seen)
  })

  test.each(named(inSteps))('show nothing unless %s', { timeout: SCENARIO_LIMIT_MS }, async (_name, bug) => {
    expect(await bug.scenario(clientsOf(driverFor(bug, 1)))).toBeUndefined()
  })
})

test('each kind of thing that can go wrong is what some bug does', () => {
  const kinds: Readonly<Record<Broken, true>> = {
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

/** With names that the test runner does not shorten. */
function named<Bug extends PlantedBug>(bugs: readonly Bug[]): (readonly [string, Bug])[] {
  return bugs.map((bug) => [bug.name, bug] as const)
}

function plansFor(bug: PlantedBug): readonly Plan[] {
  return Array.from({ length: ROUNDS }, (_, n) => {
    const driver = driverFor(bug, n)
    if ('round' in bug.hint) return writtenPlan(bug, bug.hint.round, driver, n)
    return { ...planOf(n, driver, kindsOf(bug)), begins: 'when all are served' }
  })
}

function driverFor({ driver }: PlantedBug, n: number): Driver {
  return driver ?? DRIVERS[n % DRIVERS.length] ?? 'embedded'
}

function kindsOf({ hint }: PlantedBug): readonly FaultKind[] {
  if ('scenario' in hint) return []
  return 'round' in hint ? [...new Set(hint.round.steps.map(({ kind }) => kind))] : hint.faults
}

function writtenPlan(bug: PlantedBug, { clients, lingerMs, steps }: WrittenRound, driver: Driver, seed: number): Plan {
  return {
    seed,
    driver,
    storage: 'rocksdb',
    kinds: kindsOf(bug),
    clients,
    lingerMs,
    begins: 'when all are served',
    steps,
  }
}
