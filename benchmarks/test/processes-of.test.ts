import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { atEnd, environment, eventually, freshDir, isAlive, startProgram } from '@procref/testing'
import { expect, test } from 'vitest'
import { MARKER, processesOf, whenNothingRuns } from '../dist/services/processes-of.js'

test('what does not stop is killed, and named', async () => {
  const dir = freshDir()
  const left = atEnd(startProgram('sleep', { args: ['1000'], env: { [MARKER]: dir } }))
  await hasItsEnvironment(left.pid)
  expect(processesOf(dir).map(({ pid }) => pid)).toEqual([left.pid])
  await expect(whenNothingRuns(dir, 0)).rejects.toThrow(`pid ${left.pid} (sleep 1000`)
  await left.exited
  expect(processesOf(dir)).toEqual([])
})

test('a process of a folder whose name begins alike is left alone', async () => {
  const dir = freshDir()
  const other = join(dir, 'service-2')
  mkdirSync(other)
  const near = atEnd(startProgram('sleep', { args: ['1000'], env: { [MARKER]: other } }))
  const marked = atEnd(startProgram('sleep', { args: ['1000'], env: { PROCREF_INSTANCE: `${other}/x` } }))
  for (const { pid } of [near, marked]) await hasItsEnvironment(pid)
  await whenNothingRuns(join(dir, 'service'), 0)
  expect([near.pid, marked.pid].every(isAlive)).toBe(true)
})

/** The start of a program is told before its new environment can be read. */
async function hasItsEnvironment(pid: number): Promise<void> {
  await eventually('its environment is there', () => Object.keys(environment(pid)).length > 0)
}
