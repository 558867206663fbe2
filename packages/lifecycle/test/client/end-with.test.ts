import { fileURLToPath } from 'node:url'
import { flock } from '@procref/flock'
import { atEnd, endDirectory, freshDir, startChild, startProgram } from '@procref/testing'
import { expect, onTestFinished, test } from 'vitest'
import { lookAtSlots } from '../../dist/index.js'

const ABANDONED = new URL('../children/abandoned.mjs', import.meta.url)

function serviceDir(): string {
  const dir = `${freshDir()}/service`
  onTestFinished(async () => await endDirectory(dir))
  return dir
}

async function slotsHeld(dir: string): Promise<number> {
  return (await lookAtSlots(flock(), `${dir}/slots`)).held.length
}

// its parent starts A
// A calls connect()
// the parent is killed
// the server is up
test('a program whose parent dies while it connects has no lease', async () => {
  const dir = serviceDir()
  const child = [process.execPath, fileURLToPath(ABANDONED), dir, 'parent']
  const parent = atEnd(startProgram('/bin/sh', { args: ['-c', '"$@" & wait', 'sh', ...child] }))
  await parent.event('connecting')
  parent.kill('SIGKILL')
  expect(await parent.event('refused')).toMatchObject({
    reason: expect.stringMatching(/the parent process \d+ is gone/),
  })
  await parent.exited
  expect(await slotsHeld(dir)).toBe(0)
})

test('a program whose standard input has ended before it is connected has no lease', async () => {
  const dir = serviceDir()
  const child = atEnd(startChild(ABANDONED, { args: [dir, 'stdin'] }))
  child.end()
  expect(await child.event('refused')).toMatchObject({ reason: expect.stringContaining('standard input ended') })
  await child.exited
  expect(await slotsHeld(dir)).toBe(0)
})
