import { rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Slot, SlotPool } from '@procref/core'
import { atEnd, eventually, freshDir, mustBlock, within } from '@procref/testing'
import { expect, test } from 'vitest'
import { testBackend } from './test-backend.ts'
import { errno, TestLocker } from './test-locker.ts'

interface Opened {
  readonly pool: SlotPool
  readonly locker: TestLocker
  readonly dir: string
  readonly held: readonly Slot[]
}

/** A pool all of whose slots are held. */
async function openFull(slots: number, locker = new TestLocker().handingOver()): Promise<Opened> {
  const dir = join(freshDir(), 'slots')
  const pool = atEnd(await testBackend({ locker }).open(dir, { slots }))
  const held = []
  for (let n = 0; n < slots; n++) held.push(await pool.claim())
  return { pool, locker, dir, held }
}

const LONG = { timeoutMs: 600_000 }

test('a claim that waits is handed the slot that is freed, with its record, and no other wait goes on', async () => {
  const { pool, locker, held } = await openFull(3)
  const ends = await mustBlock('claim()', pool.claim(LONG))
  expect(locker.waits).toHaveLength(3)
  const freed = held[1]
  await freed?.release()
  const slot = await ends()
  expect(slot.id).toBe(freed?.id)
  expect((await pool.held()).find(({ slot: id }) => id === slot.id)?.pid).toBe(process.pid)
  await eventually('the other waits end', () => locker.waits.length === 0)
})

// the kernel grants A a slot; A goes on
// B claims, and finds no slot free
// the waits for the other slots are called off, if nobody needs them
test('a claim goes on before the other waits are called off, and one that comes at that moment is served', async () => {
  const { pool, locker, held } = await openFull(3)
  const ends = await mustBlock('the claim of A', pool.claim(LONG))
  await held[1]?.release()
  const slot = await ends()
  expect(locker.waits).toHaveLength(2)
  const later = await mustBlock('the claim of B', pool.claim(LONG))
  expect(locker.waits).toHaveLength(3)
  await slot.release()
  expect((await later()).id).toBe(slot.id)
  await eventually('the other waits end', () => locker.waits.length === 0)
})

test('claims are served in the order in which they came, one slot each', async () => {
  const { pool, held } = await openFull(1)
  const order: number[] = []
  const claims = [0, 1, 2].map(async (n) => {
    const slot = await pool.claim(LONG)
    order.push(n)
    await slot.release()
  })
  await mustBlock('three claims', Promise.race(claims))
  await held[0]?.release()
  await within('all three claims are granted', Promise.all(claims))
  expect(order).toEqual([0, 1, 2])
})

// A waits for the only slot and is aborted
// the kernel grants the slot before the wait has ended
test('a lock that is granted to a claim that was called off is given back before the claim rejects', async () => {
  const { pool, locker, held } = await openFull(1)
  const controller = new AbortController()
  const ends = await mustBlock('claim()', pool.claim({ ...LONG, signal: controller.signal }))
  controller.abort(new Error('changed my mind'))
  await held[0]?.release()
  await expect(ends()).rejects.toThrow('changed my mind')
  expect(locker.locks.size).toBe(0)
  expect(locker.waits).toEqual([])
})

test('one of several claims that is called off takes nothing from the others', async () => {
  const { pool, held } = await openFull(1)
  const controller = new AbortController()
  const leaves = pool.claim({ ...LONG, signal: controller.signal })
  leaves.catch(() => {})
  const ends = await mustBlock('claim()', pool.claim(LONG))
  controller.abort(new Error('changed my mind'))
  await expect(leaves).rejects.toThrow('changed my mind')
  await held[0]?.release()
  expect((await ends()).id).toBe(0)
})

test('closing the pool ends the waits', async () => {
  const { pool, locker } = await openFull(2)
  const claim = pool.claim(LONG)
  claim.catch(() => {})
  await mustBlock('claim()', claim)
  await pool.close()
  await expect(claim).rejects.toMatchObject({ code: 'PROCREF_POOL_CLOSED' })
  expect(locker.locks.size).toBe(0)
  expect(locker.waits).toEqual([])
})

// the kernel grants A a slot
// the pool is closed, so many promises later
// A goes on
test.each([0, 1, 2, 3, 4, 5, 6, 7, 8])(
  'a pool that is closed in the moment in which a slot is handed over keeps none (%i)',
  async (promises) => {
    const { pool, locker, held } = await openFull(1)
    const ends = await mustBlock('claim()', pool.claim(LONG))
    const freed = held[0]?.release()
    await freed
    for (let n = 0; n < promises; n++) await undefined
    await pool.close()
    await ends().catch((error) => expect(error).toMatchObject({ code: 'PROCREF_POOL_CLOSED' }))
    expect(locker.locks.size).toBe(0)
  },
)

test('closing a pool a second time waits for the first', async () => {
  const { pool, locker } = await openFull(20)
  void pool.close()
  await pool.close()
  expect(locker.locks.size).toBe(0)
})

// A waits for a slot whose file is deleted: nobody will ever free that one
test('a slot whose file was deleted while a claim waited is found by looking', async () => {
  const { pool, held } = await openFull(1)
  const ends = await mustBlock('claim()', pool.claim(LONG))
  rmSync(held[0]?.path ?? '')
  const slot = await ends()
  await slot.verify()
})

test('a lock on a file that was replaced meanwhile is not handed over', async () => {
  const { pool, locker, held } = await openFull(1)
  const ends = await mustBlock('claim()', pool.claim(LONG))
  rmSync(held[0]?.path ?? '')
  await held[0]?.release()
  const slot = await ends()
  await slot.verify()
  expect(locker.locks.size).toBe(1)
})

test.each(['EAGAIN', 'EMFILE'])(
  'where the kernel cannot wait (%s) a claim finds the freed slot by looking',
  async (code) => {
    const locker = new TestLocker()
    locker.lockWhenFree = () => Promise.reject(errno(code))
    const { pool, held } = await openFull(2, locker)
    const ends = await mustBlock('claim()', pool.claim(LONG))
    await held[0]?.release()
    expect((await ends()).id).toBe(held[0]?.id)
  },
)

// A waits, and the kernel refuses every wait: A looks instead, and gives up
// B waits; the kernel can wait by now
// a slot is freed
test('a claim whose waits the kernel refused is handed nothing once it has given up', async () => {
  const locker = new TestLocker().handingOver()
  const wait = locker.lockWhenFree
  let refuses = true
  locker.lockWhenFree = async (...given) => {
    if (refuses || wait === undefined) throw errno('EMFILE')
    return await wait(...given)
  }
  const { pool, held } = await openFull(1, locker)
  await expect(pool.claim({ timeoutMs: 1 })).rejects.toMatchObject({ code: 'PROCREF_SLOTS_EXHAUSTED' })
  refuses = false
  const ends = await mustBlock('the claim of B', pool.claim(LONG))
  await held[0]?.release()
  expect((await ends()).id).toBe(0)
  await pool.close()
  expect(locker.locks.size).toBe(0)
})

test('an error of the wait that is none of the system’s is thrown, not hidden', async () => {
  const locker = new TestLocker()
  locker.lockWhenFree = () => Promise.reject(new TypeError('a mistake in a locker'))
  const { pool } = await openFull(1, locker)
  await expect(pool.claim(LONG)).rejects.toThrow('a mistake in a locker')
})

test('a claim that does not wait starts no wait', async () => {
  const locker = new TestLocker()
  let started = 0
  locker.lockWhenFree = () => {
    started++
    return Promise.reject(errno('EAGAIN'))
  }
  const { pool } = await openFull(2, locker)
  await expect(pool.claim()).rejects.toMatchObject({ code: 'PROCREF_SLOTS_EXHAUSTED' })
  expect(await pool.tryClaim()).toBeUndefined()
  expect(started).toBe(0)
  await expect(pool.claim({ timeoutMs: 1 })).rejects.toMatchObject({ code: 'PROCREF_SLOTS_EXHAUSTED' })
  expect(started).toBe(2)
})

test('of a large pool a part is waited for in the kernel, and any freed slot is found', async () => {
  const { pool, locker, held } = await openFull(300)
  const ends = await mustBlock('claim()', pool.claim(LONG))
  expect(locker.waits.length).toBeLessThanOrEqual(128)
  const freed = held.find(({ path }) => !locker.waits.some((wait) => wait.path === path))
  await freed?.release()
  expect((await ends()).id).toBe(freed?.id)
})
