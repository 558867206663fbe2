import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { CLIENT_STEPS, START_STEPS, STOP_STEPS } from '../service/stops.ts'
import { BROKEN, FULL, SMALL, SMALL_LIMITS } from './configurations.ts'
import { modelDigest, PAGE, pageWith, RESULTS, type Report } from './report.ts'
import { MODEL, missingPrograms, searchModel } from './spin.ts'

/** A model is compiled and searched: seconds of a whole processor, of which there may be a small part here. */
const HANGS_MS = 600_000

const missing = await missingPrograms()
if (missing.length > 0) {
  console.warn(
    `NOT RUN: the model of the protocol is NOT CHECKED, because ${missing.join(' and ')} is not installed (on Debian: apt-get install spin gcc).`,
  )
}

describe.skipIf(missing.length > 0)('the model of the protocol (docs/model)', { timeout: HANGS_MS }, () => {
  test.each(SMALL)('holds in every state: $name', async ({ name, ...search }) => {
    const { trail, violated, neverReached, ...facts } = await searchModel(search)
    console.log(`${name}: ${JSON.stringify(facts)}`)
    expect(violated, trail.join('\n')).toBeUndefined()
    expect(neverReached).toEqual([])
  })

  test.each(BROKEN)('catches that $what', async ({ variant, violates, defines, looksFor = 'states' }) => {
    const found = await searchModel({
      defines: { ...defines, [`BROKEN_${variant}`]: true },
      looksFor,
      ...SMALL_LIMITS,
    })
    console.log(`${variant}: caught after ${found.states} states, ${found.trail.length} steps`)
    expect(found.violated).toBe(violates)
    expect(found.trail.length).toBeGreaterThan(5)
  })
})

const model = readFileSync(MODEL, 'utf8')

test('the results of `pnpm soak` are those of this model, and stand on its page', () => {
  const report = JSON.parse(readFileSync(RESULTS, 'utf8')) as Report
  expect(report.model, 'the model has changed since: run `pnpm soak model`').toBe(modelDigest())
  expect(report.results.map(({ name, defines }) => ({ name, defines }))).toEqual(
    [...SMALL, ...FULL].map(({ name, defines }) => ({ name, defines })),
  )
  const page = readFileSync(PAGE, 'utf8')
  expect(page).toBe(pageWith(page, report))
})

test('each variant that the model can break is one that must be caught', () => {
  const known = new Set([...model.matchAll(/\bBROKEN_([A-Z_]+[A-Z])\b/g)].map(([, variant]) => variant))
  expect([...known].sort()).toEqual(BROKEN.map(({ variant }) => variant).sort())
})

/** `start.lock` is not modelled; a client that has found the server is `leased` there. */
const OTHERWISE = ['start-lock', 'verified']

test.each(Object.keys({ ...START_STEPS, ...STOP_STEPS, ...CLIENT_STEPS }).filter((step) => !OTHERWISE.includes(step)))(
  'the step %s is in the model under its name',
  (step) => {
    expect(model).toMatch(new RegExp(`\\.at ==? ${step.replaceAll('-', '_')}\\b`))
  },
)
