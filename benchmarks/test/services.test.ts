import { readdirSync } from 'node:fs'
import { environment, eventually, freshDir, isAlive, processes, surrealBinary } from '@procref/testing'
import { beforeEach, expect, test, vi } from 'vitest'
import { listBenchmarks, type Results, runBenchmarks, type ScenarioResult } from '../dist/index.js'
import { SCENARIOS } from '../dist/scenarios/index.js'
import { SERVICES } from '../dist/services/index.js'

/** Some minutes on a busy machine: each starts a dozen programs, one after the other. */
const HANGS_MS = 600_000

/** What they measure are services. */
const LIFECYCLE = [
  'cold-connect',
  'warm-connect',
  'first-connects',
  'last-client-killed',
  'restart',
  'at-rest',
  'small-queries',
  'growing-clients',
  'growing-database',
  'bulk',
]
/** One of each kind, where it can be run. */
const EXECUTABLE = ['procref-executable-native', 'bare-sdk', 'reaper']
const EMBEDDED = ['procref-embedded-native', 'in-process']
const HERE = surrealBinary() === undefined ? EMBEDDED : [...EXECUTABLE, ...EMBEDDED]

/** The system's temporary folder for one test: whatever a run makes is in it. */
let tmp = ''
beforeEach(() => {
  tmp = freshDir({ mode: 0o711 })
  vi.stubEnv('TMPDIR', tmp)
  return () => vi.unstubAllEnvs()
})

function expectNothingLeft(): void {
  expect(readdirSync(tmp)).toEqual([])
  expect(running()).toEqual([])
}

/** Everything that a run starts has our temporary folder in its environment: clients, guardians, servers. */
function running(): readonly number[] {
  const others = processes().filter(({ pid }) => pid !== process.pid && isAlive(pid))
  return others.filter(({ pid }) => environment(pid).TMPDIR === tmp).map(({ pid }) => pid)
}

async function measure(scenario: string, services: readonly string[]): Promise<Results> {
  return await runBenchmarks({ scale: 'guard', subjects: [], services, only: [scenario] })
}

function expectForm(result: ScenarioResult, services: readonly string[]): void {
  expect(result.failed).toEqual([])
  const measured = new Set(result.series.map(({ subject }) => subject))
  const leftOut = result.leftOut.map(({ subject }) => subject)
  expect([...measured, ...leftOut].toSorted()).toEqual(services.toSorted())
  for (const { reason } of result.leftOut) expect(reason).not.toBe('')
  expect(result.question).toMatch(/\?$/)
  expect(result.method).toMatch(/\.$/)
  for (const { points } of result.series) {
    expect(points.length).toBeGreaterThan(0)
    for (const point of points) {
      expect(point.n).toBeGreaterThan(0)
      expect(point.samples.every(Number.isFinite)).toBe(true)
      expect(point.at === undefined).toBe(result.axis === undefined)
    }
  }
}

test.each(LIFECYCLE)(
  '%s gives results of the right form, with each engine, and leaves nothing behind',
  { timeout: HANGS_MS },
  async (name) => {
    const { scenarios, services } = await measure(name, HERE)
    expect(services.filter(({ unavailable }) => unavailable !== undefined)).toEqual([])
    expect(scenarios[0]?.name).toBe(name)
    for (const result of scenarios) expectForm(result, HERE)
    const measured = new Set(scenarios.flatMap(({ series }) => series.map(({ subject }) => subject)))
    // Each of them says something of procref with each engine.
    for (const service of HERE.filter((one) => one.startsWith('procref-'))) expect(measured).toContain(service)
    expectNothingLeft()
  },
)

test('each service that can start a server is measured from a cold start to its stop', {
  timeout: HANGS_MS,
}, async () => {
  const all = SERVICES.filter(
    ({ name, engine, lacks }) =>
      lacks.start === undefined && !HERE.includes(name) && (engine === 'embedded' || HERE.includes('reaper')),
  ).map(({ name }) => name)
  const { scenarios } = await measure('last-client-killed', all)
  expect(scenarios.flatMap(({ failed, leftOut }) => [...failed, ...leftOut])).toEqual([])
  expect(new Set(scenarios[0]?.series.map(({ subject }) => subject))).toEqual(new Set(all))
  expectNothingLeft()
})

test.each(['at-rest', 'small-queries'])(
  '%s that is called off ends all clients and servers before it rejects',
  { timeout: HANGS_MS },
  async (name) => {
    const calledOff = new AbortController()
    let isBegun = false
    let isOver = false
    const ended = runBenchmarks({
      scale: 'guard',
      subjects: [],
      services: HERE,
      only: [name],
      signal: calledOff.signal,
      onProgress: () => {
        isBegun = true
      },
    })
      .then(
        () => 'measured',
        (error: Error) => error.message,
      )
      .finally(() => {
        isOver = true
      })
    // Or it is over before that, which is told below.
    await eventually('something of it runs', () => isOver || (isBegun && running().length > 0), HANGS_MS)
    calledOff.abort(new Error('enough'))
    expect(await ended).toBe('enough')
    expectNothingLeft()
  },
)

test('without an executable the services that need one say how to get it, and the others are there', async () => {
  vi.stubEnv('PROCREF_SURREAL_BIN', '/nonexistent/surreal')
  const { services } = await listBenchmarks()
  expect(services.map(({ name }) => name)).toEqual(SERVICES.map(({ name }) => name))
  for (const { name, unavailable } of services) {
    const needsIt = SERVICES.find((one) => one.name === name)?.engine === 'executable'
    expect(unavailable?.remedy ?? '', name).toMatch(needsIt ? /PROCREF_SURREAL_BIN/ : /^$/)
  }
})

test('every scenario of services is tried here', () => {
  const names = SCENARIOS.map(({ name }) => name)
  expect(names.slice(names.indexOf('cold-connect'))).toEqual(LIFECYCLE)
})
