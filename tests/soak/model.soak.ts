import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus, release } from 'node:os'
import { expect, test } from 'vitest'
import { FULL } from '../model/configurations.ts'
import { missingPrograms, searchModel } from '../model/spin.ts'

test('the model of the protocol holds in every state, for three clients', { timeout: 0 }, async () => {
  expect(await missingPrograms(), 'not installed').toEqual([])
  const results: object[] = []
  for (const { name, ...search } of FULL) {
    const { trail, violated, ...facts } = await searchModel(search)
    expect(violated, trail.join('\n')).toBeUndefined()
    results.push({ name, defines: search.defines, looksFor: search.looksFor, ...facts })
    console.log(JSON.stringify(results.at(-1)))
  }
  const machine = { node: process.version, kernel: release(), cores: cpus().length }
  const folder = new URL('./results/', import.meta.url)
  mkdirSync(folder, { recursive: true })
  const report = { date: new Date().toISOString(), machine, results }
  writeFileSync(new URL('model.json', folder), `${JSON.stringify(report, null, 2)}\n`)
})
