import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { commandLine, environment, makeTempDir, processes } from '@procref/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Experiment } from '../dist/experiment.js'
import { EXPERIMENTS } from '../dist/experiments/index.js'
import type { ExperimentResult, Scale } from '../dist/results.js'
import type { UsableSubject } from '../dist/scenario.js'
import type { ActorCommand, PreparedSubject, Subject } from '../dist/subject.js'
import { cFloor } from '../dist/subjects/c-floor.js'
import { nativeSubject } from '../dist/subjects/native.js'

const ACTOR = fileURLToPath(new URL('../dist/actor/main.js', import.meta.url))

const home = makeTempDir({ mode: 0o711 })
// All that is started from here has it too.
process.env.PROCREF_BENCH_TEST = home.path
const good: UsableSubject[] = []
beforeAll(async () => {
  for (const subject of [cFloor, nativeSubject]) {
    expect(await subject.unavailable(home.path)).toBeUndefined()
    good.push({ subject, prepared: await subject.prepare(home.path) })
  }
})
afterAll(async () => {
  for (const { prepared } of good) await prepared[Symbol.asyncDispose]()
  await home[Symbol.asyncDispose]()
})

const neverReleases = javascript('never-releases')
const letsTwoIn = javascript('lets-two-in')
const givesAlways = javascript('gives-always')
const losesPermits = javascript('loses-permits')
const wakesAll = javascript('wakes-all')
const leases = javascript('leases', { maxSlots: 1 })
const givesBackLate = javascript('gives-back-late', { maxSlots: 1 })
const believesPids = javascript('believes-pids', { maxSlots: 1 })
const inherits = usable('inherits', { maxSlots: 1 }, (dir) => ({ file: 'bash', args: [fixture('inherits.sh'), dir] }))
const inProcess = javascript('never-releases', { name: 'in-process', betweenProcesses: false })

test('a permit that a killed holder does not give back, or that two had, is caught', async () => {
  const seen = await observe('kill', [neverReleases, letsTwoIn])
  expect(seen['never-releases']).toMatchObject({ verdict: 'breaks', finding: 'not within 4.0 s' })
  expect(seen['lets-two-in']).toMatchObject({ verdict: 'breaks', finding: 'two holders' })
  expect(await observe('kill', [believesPids], 'full')).toMatchObject({ 'believes-pids': { verdict: 'holds' } })
})

test('what a killed holder leaves behind is caught, and how long it keeps others away', async () => {
  const seen = await observe('stale', [neverReleases])
  expect(seen['never-releases']).toMatchObject({ verdict: 'breaks', finding: 'for ever' })
  expect(await observe('stale', [givesBackLate], 'full')).toMatchObject({
    'gives-back-late': { verdict: 'breaks', evidence: expect.stringContaining('refused 3 times') },
  })
})

test('permits that are lost or made by kills at random moments are counted', async () => {
  const seen = await observe('crash', [losesPermits, givesAlways])
  expect(seen['loses-permits']).toMatchObject({ verdict: 'breaks', finding: '0 of 3 left after 4 kills' })
  expect(seen['gives-always']).toMatchObject({ verdict: 'breaks', finding: '6 of 3 after 4 kills' })
})

test('an unrelated process that counts as the holder, because it has its PID, is caught', async () => {
  const seen = await observe('pid-reuse', [believesPids, neverReleases])
  expect(seen['believes-pids']).toMatchObject({ verdict: 'breaks', finding: 'counts as the holder' })
  expect(seen['never-releases']).toMatchObject({ verdict: 'breaks', finding: 'lost for ever' })
})

test('a second holder while the first one stands still is caught', async () => {
  const seen = await observe('stop', [leases, believesPids], 'quick')
  expect(seen.leases).toMatchObject({
    verdict: 'breaks',
    finding: expect.stringMatching(/^second holder after [\d.]+ m?s$/),
  })
  expect(seen['believes-pids']).toMatchObject({ verdict: 'holds' })
})

test('a started program that keeps the permit of its dead parent is caught, and ended', async () => {
  const seen = await observe('child', [inherits, neverReleases])
  expect(seen.inherits).toMatchObject({ verdict: 'breaks', finding: 'kept until the started program ends' })
  expect(seen['never-releases']).toMatchObject({ verdict: 'breaks', finding: 'lost for ever' })
})

test('what cannot be done in a language is not held against the subject', async () => {
  const seen = await observe('fork', [believesPids])
  expect(seen['believes-pids']).toMatchObject({ verdict: 'not-applicable', evidence: 'Node has no fork without exec' })
})

test('a second holder after the files were deleted is caught', async () => {
  const seen = await observe('deleted', [neverReleases])
  expect(seen['never-releases']).toMatchObject({ verdict: 'breaks', finding: 'second holder' })
})

test('one permit too many, and one that is not passed on, are caught', async () => {
  const seen = await observe('full', [letsTwoIn, losesPermits])
  expect(seen['lets-two-in']).toMatchObject({ verdict: 'breaks', finding: 'one too many' })
  expect(seen['loses-permits']).toMatchObject({ verdict: 'breaks', finding: 'waits on after a release' })
})

test('one who waits for a slot that is not the one released is caught', async () => {
  const [floor, native] = good
  if (floor === undefined || native === undefined) throw new Error('one of the good ones is missing')
  // What comes late must not be taken for what does not come.
  expect(await observe('full', [floor], 'quick')).toMatchObject({
    'c-floor': { finding: 'waits for one of them only' },
  })
  expect(await observe('full', [native], 'full')).toMatchObject({ native: { verdict: 'holds' } })
})

test('of many who wait, two who get it, some who get nothing and all who are woken are caught', async () => {
  const seen = await observe('one-release', [letsTwoIn, losesPermits, wakesAll, neverReleases])
  expect(seen['lets-two-in']).toMatchObject({ verdict: 'breaks', finding: 'two holders' })
  expect(seen['loses-permits']).toMatchObject({ verdict: 'breaks', finding: '4 of 4 get nothing' })
  expect(seen['wakes-all']).toMatchObject({
    verdict: 'breaks',
    finding: expect.stringMatching(/of the others are woken$/),
  })
  // It looks by a timer: nobody is woken, and nobody needs to be.
  expect(seen['never-releases']).toMatchObject({ verdict: 'holds', finding: 'one gets it; all look by a timer' })
})

test('the largest pool is found by trying', async () => {
  const seen = await observe('maximum', [believesPids, neverReleases])
  expect(seen['believes-pids']).toMatchObject({ verdict: 'breaks', finding: 'a mutex' })
  expect(seen['believes-pids']?.evidence).toContain('there is one permit')
  expect(seen['never-releases']).toMatchObject({ verdict: 'holds', finding: '64 at least' })
})

test('a holder that nobody can name is caught', async () => {
  const seen = await observe('debugging', [neverReleases, believesPids])
  expect(seen['never-releases']).toMatchObject({ verdict: 'breaks', finding: 'no' })
  expect(seen['believes-pids']).toMatchObject({ verdict: 'holds', finding: 'PID in a file' })
})

test('what is declared and what was measured are told apart', async () => {
  const seen = await observe('platforms', [...good, neverReleases])
  expect(seen.native).toMatchObject({ verdict: 'holds' })
  expect(seen.native?.evidence).toMatch(/^Measured in this run, and nowhere else: .* Declared, not measured: /)
  expect(seen['never-releases']).toMatchObject({ verdict: 'unanswered' })
})

test('what only one process has is asked nothing that takes two', async () => {
  for (const { name } of EXPERIMENTS.filter((one) => one.name !== 'maximum' && one.name !== 'platforms')) {
    const seen = await observe(name, [inProcess])
    expect(seen['in-process'], name).toMatchObject({ verdict: 'not-applicable' })
  }
})

test('a subject that fails is unanswered, in its own words, and the others go on', async () => {
  const seen = await observe('full', [javascript('is-not-there'), believesPids], 'full')
  expect(seen['is-not-there']).toMatchObject({
    verdict: 'unanswered',
    evidence: expect.stringContaining('is-not-there'),
  })
  expect(seen['believes-pids']).toMatchObject({ verdict: 'holds' })
})

/** Where nothing is wrong an experiment waits for events only, so its patience may be great; those whose size grows with the scale have less. */
const HOLDING: Readonly<Record<string, Scale>> = {
  kill: 'full',
  stale: 'full',
  crash: 'guard',
  'pid-reuse': 'full',
  stop: 'quick',
  child: 'full',
  'one-release': 'quick',
  debugging: 'full',
}

for (const [name, scale] of Object.entries(HOLDING)) {
  test(`slot files in C and native() hold in "${name}"`, async () => {
    const seen = await observe(name, good, scale)
    expect(Object.values(seen).filter(({ verdict }) => verdict !== 'holds')).toEqual([])
    expect(Object.keys(seen)).toEqual(['c-floor', 'native'])
  })
}

let count = 0

/** By the subject's name. Leaves no process behind. */
async function observe(
  name: string,
  subjects: readonly UsableSubject[],
  scale: Scale = 'guard',
): Promise<Readonly<Record<string, ExperimentResult>>> {
  const dir = join(home.path, `${name}-${count++}`)
  mkdirSync(dir)
  const said: string[] = []
  const results = await experimentOf(name).observe({
    home: dir,
    scale,
    subjects,
    services: [],
    signal: new AbortController().signal,
    say: (message) => said.push(message),
  })
  for (const { subject } of subjects) expect(said).toContain(subject.title)
  expect(startedByUs()).toEqual([])
  return Object.fromEntries(results.map((result) => [result.subject, result]))
}

/** The command lines of all processes that were started from here and live, those of orphans too. */
function startedByUs(): readonly string[] {
  return processes()
    .filter(({ pid }) => pid !== process.pid && environment(pid).PROCREF_BENCH_TEST === home.path)
    .map(({ pid }) => commandLine(pid).join(' '))
}

function experimentOf(name: string): Experiment {
  const experiment = EXPERIMENTS.find((one) => one.name === name)
  if (experiment === undefined) throw new Error(`there is no experiment ${name}`)
  return experiment
}

function javascript(file: string, told: Partial<Subject> = {}): UsableSubject {
  const command = (dir: string, slots: number): ActorCommand => ({
    file: process.execPath,
    args: [ACTOR, fixture(`${file}.mjs`), dir, String(slots)],
  })
  return usable(file, told, command)
}

function usable(name: string, told: Partial<Subject>, command: PreparedSubject['command']): UsableSubject {
  const prepared: PreparedSubject = { command, async [Symbol.asyncDispose]() {} }
  const subject: Subject = {
    ...{
      name,
      title: name,
      summary: 'wrong on purpose',
      kind: 'library',
      maxSlots: 100,
      betweenProcesses: true,
      waits: 'by a timer',
    },
    unavailable: async () => undefined,
    prepare: async () => prepared,
    ...told,
  }
  return { subject, prepared }
}

function fixture(file: string): string {
  return fileURLToPath(new URL(`wrong/${file}`, import.meta.url))
}
