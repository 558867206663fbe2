import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus, release } from 'node:os'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { fuzz } from '../fuzz/fuzz.ts'
import { TARGETS } from '../fuzz/targets/index.ts'

/** Of each target; `PROCREF_FUZZ_MINUTES` for all of them together. */
const MINUTES = Number(process.env.PROCREF_FUZZ_MINUTES ?? 75) / TARGETS.length
/** What is committed says nothing of the machine's folders. */
const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const SEED = Number(process.env.PROCREF_SOAK_SEED ?? Date.now() % 2 ** 31)

test('what listens and what reads files withstands an hour of inputs that it does not expect', {
  timeout: 0,
}, async () => {
  const targets = []
  for (const target of TARGETS) {
    const outcome = await fuzz(target, { seed: SEED, milliseconds: MINUTES * 60_000 })
    console.log(target.name, JSON.stringify(outcome))
    const finding = outcome.finding?.replaceAll(ROOT, '')
    targets.push({ name: target.name, title: target.title, ...outcome, ...(finding !== undefined && { finding }) })
  }
  const folder = new URL('./results/', import.meta.url)
  mkdirSync(folder, { recursive: true })
  const machine = { node: process.version, kernel: release(), cores: cpus().length }
  const seconds = targets.reduce((sum, one) => sum + one.seconds, 0)
  const report = { date: new Date().toISOString(), machine, seed: SEED, seconds, targets }
  writeFileSync(new URL('fuzz.json', folder), `${JSON.stringify(report, null, 2)}\n`)
  expect(targets.filter(({ finding }) => finding !== undefined)).toEqual([])
})
