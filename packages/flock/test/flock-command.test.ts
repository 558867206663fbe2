import { join } from 'node:path'
import { slotFileName } from '@procref/core'
import { flock } from '@procref/flock'
import { atEnd, freshDir, startProgram } from '@procref/testing'
import { expect, test } from 'vitest'

// util-linux flock(1): a holder that knows nothing of slots.

test('a slot that flock(1) holds is in use, and free when it ends', async () => {
  const dir = join(freshDir(), 'slots')
  const pool = atEnd(await flock().open(dir, { slots: 2 }))
  const path = join(dir, slotFileName(1))
  const foreign = atEnd(startProgram('flock', { args: ['--no-fork', '-xn', path, 'cat'] }))
  foreign.send('holds')
  expect(await foreign.line()).toBe('holds')
  expect((await pool.held()).map(({ slot }) => slot)).toEqual([1])
  expect((await pool.claim()).id).toBe(0)
  expect(await pool.tryClaim()).toBeUndefined()
  foreign.end()
  await foreign.exited
  expect((await pool.claim()).id).toBe(1)
})

test('a slot that we hold is refused to flock(1), exclusive and shared, and granted once released', async () => {
  const dir = join(freshDir(), 'slots')
  const pool = atEnd(await flock().open(dir, { slots: 1 }))
  const slot = await pool.claim()
  const run = async (...args: readonly string[]) =>
    (await atEnd(startProgram('flock', { args: [...args, slot.path ?? '', 'true'] })).exited).code
  expect([await run('-xn'), await run('-sn')]).toEqual([1, 1])
  await slot.release()
  expect([await run('-xn'), await run('-sn')]).toEqual([0, 0])
})

test('a shared lock that somebody keeps turns claimers away without being called a holder', async () => {
  const dir = join(freshDir(), 'slots')
  const pool = atEnd(await flock().open(dir, { slots: 1 }))
  const path = join(dir, slotFileName(0))
  const prober = atEnd(startProgram('flock', { args: ['--no-fork', '-sn', path, 'cat'] }))
  prober.send('looks')
  expect(await prober.line()).toBe('looks')
  await expect(pool.claim()).rejects.toMatchObject({ code: 'PROCREF_SLOT_PROBED', slots: [0] })
  expect(await pool.provenEmpty()).toBe(true)
  prober.end()
  await prober.exited
  expect((await pool.claim()).id).toBe(0)
})
