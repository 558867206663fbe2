import fs, { readdirSync, rmSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { join } from 'node:path'
import { MessageChannel } from 'node:worker_threads'
import type { FileLock } from '@procref/core'
import { lockfile } from '@procref/lockfile'
import { atEnd, eventually, freshDir, startChild, staysTrue } from '@procref/testing'
import { expect, test } from 'vitest'
// Not part of the public interface.
import { answerTo } from '../dist/heart-thread.js'
import { ownersOf } from '../dist/owners.js'

const { locks } = lockfile({ leaseMs: 5_000 })
const LEASE_MS = 5_000

function lock(path: string): FileLock {
  return locks.tryLock(path) ?? expect.unreachable(`${path} is held`)
}

function whenLost(held: FileLock): Promise<string> {
  return new Promise((resolve) => held.onLost?.(resolve))
}

/** Calls `act` while this thread's calls of `name` fail. */
function whileFailing<T>(name: 'writeFileSync' | 'rmSync', code: string, act: () => T): T {
  const original = fs[name]
  fs[name] = () => {
    throw Object.assign(new Error(`${code}: made to fail`), { code })
  }
  syncBuiltinESMExports()
  try {
    return act()
  } finally {
    Object.assign(fs, { [name]: original })
    syncBuiltinESMExports()
  }
}

// A has the slot; somebody deletes the directory; B makes it anew and has the slot; A, which has not looked since, gives back.
test('a holder whose directory was deleted and made anew takes nothing from the new holder when it gives back', async () => {
  const dir = freshDir()
  const path = join(dir, 'a.lock')
  const old = lock(path)
  rmSync(path)
  rmSync(ownersOf(path), { recursive: true })
  const child = atEnd(startChild(new URL('./children/locker.mjs', import.meta.url), { args: [path] }))
  expect(await child.event('tried')).toMatchObject({ fence: 1 })
  expect(old.fence).toBe(1)
  expect(old.isCurrent()).toBe(false)
  old.release()
  await staysTrue(LEASE_MS, async () => {
    expect(locks.tryLock(path)).toBeUndefined()
    child.send('look')
    expect(await child.event('looked')).toMatchObject({ current: true })
  })
  expect(readdirSync(ownersOf(path)).sort()).toEqual(['1', '1.json'])
})

test('a holder knows that its lock was deleted and taken anew under the same number, also while the file is the same', async () => {
  const path = join(freshDir(), 'a.lock')
  const old = lock(path)
  rmSync(ownersOf(path), { recursive: true })
  const next = lock(path)
  expect([old.fence, next.fence]).toEqual([1, 1])
  expect([old.isCurrent(), next.isCurrent()]).toEqual([false, true])
  next.release()
  old.release()
})

test('a number is taken once, also when its holder could not write down that it gave it back', async () => {
  const path = join(freshDir(), 'a.lock')
  lock(path).release()
  const held = lock(path)
  expect(held.fence).toBe(2)
  whileFailing('writeFileSync', 'ENOSPC', () => held.release())
  const next = await eventually('its lease runs out', () => locks.tryLock(path))
  expect(next.fence).toBe(3)
  next.release()
})

test('a number is taken once, also when its holder lost it because somebody deleted its directory', async () => {
  const path = join(freshDir(), 'a.lock')
  lock(path).release()
  const held = lock(path)
  const lost = whenLost(held)
  rmSync(join(ownersOf(path), '2'), { recursive: true })
  expect(held.isCurrent()).toBe(false)
  await lost
  const next = await eventually('its lease runs out', () => locks.tryLock(path))
  expect(next.fence).toBe(3)
  held.release()
  expect(next.isCurrent()).toBe(true)
  next.release()
})

test('a record that cannot be written takes no number, and leaves none behind that nobody has', () => {
  const owners = ownersOf(join(freshDir(), 'a.lock'))
  const { port1 } = new MessageChannel()
  const take = () =>
    answerTo({ do: 'take', owners, number: 1, record: { leaseMs: LEASE_MS, claim: 'x' }, beatMs: 1_000 }, port1)
  expect(whileFailing('writeFileSync', 'ENOSPC', take)).toMatchObject({ failed: { code: 'ENOSPC' } })
  expect(readdirSync(owners)).toEqual([])
  expect(take()).toEqual({ taken: true })
  answerTo({ do: 'forget', claim: 'x' }, port1)
  port1.close()
})

test('what cannot be removed of old generations keeps nobody from locking, and ends no thread', () => {
  const owners = ownersOf(join(freshDir(), 'a.lock'))
  const { port1 } = new MessageChannel()
  fs.mkdirSync(join(owners, '1'), { recursive: true })
  const take = () =>
    answerTo({ do: 'take', owners, number: 20, record: { leaseMs: LEASE_MS, claim: 'x' }, beatMs: 1_000 }, port1)
  expect(whileFailing('rmSync', 'EACCES', take)).toEqual({ taken: true })
  fs.writeFileSync(join(owners, '20.free'), '')
  expect(() => whileFailing('rmSync', 'EACCES', () => answerTo({ do: 'forget', claim: 'x' }, port1))).not.toThrow()
  port1.close()
})

// The holder claims; its program's own exit handler, which is called after ours, still works with what the lock protects.
test('a lock is its holder’s until the process has ended, also while its exit handlers run', async () => {
  const path = join(freshDir(), 'a.lock')
  const child = atEnd(startChild(new URL('./children/exiting.mjs', import.meta.url), { args: [path] }))
  expect(await child.event('exiting')).toMatchObject({ state: 'held' })
  await child.exited
  expect(locks.watch(path).probe()).toBe('free')
})

test('a process stopped for a minute while it waits for its thread gets its answer when both go on', async () => {
  const child = atEnd(
    startChild(new URL('./children/waiting-for-thread.mjs', import.meta.url), { args: [join(freshDir(), 'a.lock')] }),
  )
  expect(await child.event('tried')).toMatchObject({ fence: 1 })
})

test('a thread that ended, however that was, loses its locks, and the next lock gets another thread', async () => {
  const path = join(freshDir(), 'a.lock')
  const child = atEnd(startChild(new URL('./children/ending-thread.mjs', import.meta.url), { args: [path] }))
  expect(await child.event('lost')).toMatchObject({ reason: expect.stringContaining('thread'), current: false })
  expect(await child.event('again')).toMatchObject({ fence: 1, current: true })
})

test('eight threads of one process exclude each other, and no number is given twice', async () => {
  const path = join(freshDir(), 'a.lock')
  const child = atEnd(startChild(new URL('./children/worker-threads.mjs', import.meta.url), { args: [path] }))
  const { results } = await child.event<{ results: { fences: number[]; together: number }[] }>('over')
  expect(results.map(({ together }) => together)).toEqual(Array.from({ length: 8 }, () => 0))
  const fences = results.flatMap((result) => result.fences)
  expect(fences).toHaveLength(8 * 40)
  expect(new Set(fences).size).toBe(fences.length)
})

test('whoever has seen a holder does not take the pool for empty because its directory was deleted', async () => {
  const dir = join(freshDir(), 'slots')
  const holder = atEnd(startChild(new URL('./children/holder.mjs', import.meta.url), { args: [dir] }))
  await holder.event('opened')
  const pool = await lockfile({ leaseMs: LEASE_MS }).open(dir)
  expect(await pool.provenEmpty()).toBe(false)
  rmSync(dir, { recursive: true })
  expect(await pool.provenEmpty()).toBe(false)
  // Its holder is told, and when it is dead the pool is empty at once.
  expect(await holder.event('lost')).toMatchObject({ code: 'PROCREF_SLOT_LOST' })
  expect(await pool.provenEmpty()).toBe(false)
  holder.kill('SIGKILL')
  await holder.exited
  expect(await pool.provenEmpty()).toBe(true)
  await pool.close()
})
