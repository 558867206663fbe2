import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus, release } from 'node:os'
import { dirname } from 'node:path'
import { expect, test } from 'vitest'
import { FULL, SMALL } from '../model/configurations.ts'
import { modelDigest, PAGE, pageWith, RESULTS, type Report, type Result } from '../model/report.ts'
import { missingPrograms, searchModel } from '../model/spin.ts'

test('the model of the protocol holds in every state, also for three clients', { timeout: 0 }, async () => {
  expect(await missingPrograms(), 'not installed').toEqual([])
  const results: Result[] = []
  for (const { name, ...search } of [...SMALL, ...FULL]) {
    const { trail, violated, neverReached, ...facts } = await searchModel(search)
    expect(violated, trail.join('\n')).toBeUndefined()
    expect(neverReached).toEqual([])
    results.push({ name, defines: search.defines, ...facts })
    console.log(JSON.stringify(results.at(-1)))
  }
  const machine = { node: process.version, kernel: release(), cores: cpus().length }
  const report: Report = { date: new Date().toISOString(), machine, model: modelDigest(), results }
  mkdirSync(dirname(RESULTS), { recursive: true })
  writeFileSync(RESULTS, `${JSON.stringify(report, null, 2)}\n`)
  writeFileSync(PAGE, pageWith(readFileSync(PAGE, 'utf8'), report))
})
