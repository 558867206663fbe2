import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { BROKEN, SMALL } from './configurations.ts'
import { missingPrograms, searchModel } from './spin.ts'

const missing = await missingPrograms()
if (missing.length > 0) {
  console.warn(
    `NOT RUN: the model of the protocol is NOT CHECKED, because ${missing.join(' and ')} is not installed (on Debian: apt-get install spin gcc).`,
  )
}

describe.skipIf(missing.length > 0)('the model of the protocol (docs/model)', () => {
  test.each(SMALL)('holds in every state: $name', async ({ name, ...search }) => {
    const { trail, violated, ...facts } = await searchModel(search)
    console.log(`${name}: ${JSON.stringify(facts)}`)
    expect(violated, trail.join('\n')).toBeUndefined()
    expect(facts.states).toBeGreaterThan(10_000)
  })

  test.each(BROKEN)('catches that $what', async ({ variant, violates, defines }) => {
    const found = await searchModel({
      defines: { ...defines, [`BROKEN_${variant}`]: true },
      looksFor: 'states',
      memoryMb: 2_000,
    })
    console.log(`${variant}: caught after ${found.states} states, ${found.trail.length} steps`)
    expect(found.violated).toBe(violates)
    expect(found.trail.length).toBeGreaterThan(5)
  })
})

test('each variant that the model can break is one that must be caught', () => {
  const model = readFileSync(resolve(import.meta.dirname, '../../docs/model/procref.pml'), 'utf8')
  const known = new Set([...model.matchAll(/\bBROKEN_([A-Z_]+[A-Z])\b/g)].map(([, variant]) => variant))
  expect([...known].sort()).toEqual(BROKEN.map(({ variant }) => variant).sort())
})
