import { mkdirSync, readFileSync, rmSync, statSync, unlinkSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import {
  type FileSlotsOptions,
  parseRecord,
  pinProtocol,
  type SlotPool,
  type SystemCalls,
  systemCalls,
} from '@procref/core'
import { atEnd, freshDir, mustBlock } from '@procref/testing'
import { expect, test } from 'vitest'
import { testBackend } from './test-backend.ts'
import { errno, TestLocker } from './test-locker.ts'

interface Opened {
  readonly pool: SlotPool
  readonly locker: TestLocker
  readonly dir: string
}

async function openPool(slots: number, options: Pick<Partial<FileSlotsOptions>, 'system'> = {}): Promise<Opened> {
  const locker = new TestLocker()
  const dir = join(freshDir(), 'slots')
  const pool = atEnd(await testBackend({ locker, ...options }).open(dir, { slots, label: 'test' }))
  return { pool, locker, dir }
}

async function fill(pool: SlotPool): Promise<void> {
  while ((await pool.tryClaim()) !== undefined);
}

/** Which slot a path belongs to. */
function isSlot(slot: number, path: string): boolean {
  return basename(path) === `slot_0${slot}.lock`
}

test('a slot that was released is the next one claimed: its file is warm', async () => {
  const { pool } = await openPool(100)
  const first = await pool.claim()
  await first.release()
  const second = await pool.claim()
  expect(second.id).toBe(first.id)
})

test('pools do not all start at the same slot', async () => {
  const { locker, dir } = await openPool(100)
  const taken = new Set<number>()
  for (let n = 0; n < 20; n++) {
    const pool = await testBackend({ locker }).open(dir)
    const slot = await pool.claim()
    taken.add(slot.id)
    await pool.close()
  }
  expect(taken.size).toBeGreaterThan(1)
})

// the exclusive try on slot 0 meets somebody who only looks
// the pool goes on to slot 1
test('a slot that refuses once is passed over for one that does not', async () => {
  const { pool, locker } = await openPool(2)
  locker.onTryLock = (path) => (isSlot(0, path) ? 'refused' : undefined)
  expect((await pool.claim()).id).toBe(1)
})

// the exclusive try on the only free slot meets somebody who only looks
// the shared try shows that nobody holds it
// the claimer comes back
test('a free slot that probers keep refusing is claimed once they let go, never reported in use', async () => {
  const { pool, locker } = await openPool(1)
  // The first try, and the one after the look: it comes back after a pause, however long that is on a busy machine. With more of them the second
  // in which it comes back could be over.
  let refusals = 2
  locker.onTryLock = () => (refusals-- > 0 ? 'refused' : undefined)
  expect((await pool.tryClaim())?.id).toBe(0)
})

test('probers that do not let go for a second are named as the reason, with the slots that are free', async () => {
  const { pool, locker, dir } = await openPool(3)
  await pool.claim()
  const held = [...locker.locks][0]?.path ?? ''
  locker.onTryLock = (path) => (path === held ? undefined : 'refused')
  const free = [0, 1, 2].filter((slot) => !isSlot(slot, held))
  const startedAt = performance.now()
  const error = await pool.tryClaim().catch((error: unknown) => error)
  expect(performance.now() - startedAt).toBeGreaterThanOrEqual(1000)
  expect(error).toMatchObject({ code: 'PROCREF_SLOT_PROBED', dir })
  expect([...(error as { slots: number[] }).slots].sort()).toEqual(free)
  await expect(pool.claim()).rejects.toMatchObject({ code: 'PROCREF_SLOT_PROBED' })
})

test('a claim that may wait goes on after a second of probers', async () => {
  const { pool, locker } = await openPool(1)
  const startedAt = performance.now()
  locker.onTryLock = () => (performance.now() - startedAt < 1100 ? 'refused' : undefined)
  expect((await pool.claim({ timeoutMs: 30_000 })).id).toBe(0)
})

test('a pool is exhausted only when every slot refused a shared try as well', async () => {
  const { pool, locker, dir } = await openPool(3)
  await fill(pool)
  const probed: string[] = []
  locker.onProbe = (path) => {
    probed.push(basename(path))
    return undefined
  }
  expect(await pool.tryClaim()).toBeUndefined()
  expect(new Set(probed)).toEqual(new Set(['slot_00.lock', 'slot_01.lock', 'slot_02.lock']))
  const error = await pool.claim().catch((error: unknown) => error)
  expect(error).toMatchObject({ code: 'PROCREF_SLOTS_EXHAUSTED', size: 3, dir })
  expect((error as Error).message).toMatch(
    new RegExp(`^All 3 slots are in use in ${dir}\\. Held by pid ${process.pid} \\(test, .*\\) in slot 0; pid`),
  )
  expect((error as { holders: { slot: number }[] }).holders.map(({ slot }) => slot)).toEqual([0, 1, 2])
})

test('a message names some holders, the error all of them', async () => {
  const { pool } = await openPool(20)
  await fill(pool)
  const error = await pool.claim().catch((error: unknown) => error)
  expect((error as Error).message).toContain('; and 12 more. ')
  expect((error as { holders: unknown[] }).holders).toHaveLength(20)
})

// A's exclusive try is refused by B
// B's file is deleted
// A's shared try finds no file, tries again, makes it
test('a slot whose file is deleted between the two tries is claimed afresh', async () => {
  const { pool, locker, dir } = await openPool(1)
  await pool.claim()
  locker.onWatch = (path) => {
    rmSync(path, { force: true })
    return undefined
  }
  expect((await pool.tryClaim())?.path).toBe(join(dir, 'slot_00.lock'))
})

test.each(['EACCES', 'EPERM', 'ELOOP', 'EISDIR', 'ENXIO', 'ENOSPC', 'EDQUOT'])(
  '%s on one slot’s file leaves the others, and is the reason when they are all taken',
  async (name) => {
    const { pool, locker, dir } = await openPool(3)
    locker.onTryLock = (path) => (isSlot(1, path) ? errno(name) : undefined)
    const claimed = [await pool.claim(), await pool.claim()]
    expect(claimed.map(({ id }) => id).sort()).toEqual([0, 2])
    await expect(pool.claim()).rejects.toMatchObject({ errno: name, path: join(dir, 'slot_01.lock') })
    await expect(pool.tryClaim()).rejects.toMatchObject({ errno: name })
  },
)

test.each([
  ['EMFILE', 'PROCREF_TOO_MANY_OPEN_FILES'],
  ['ENOLCK', 'PROCREF_NO_LOCKS_LEFT'],
  ['EROFS', 'PROCREF_READ_ONLY'],
  ['EIO', 'PROCREF_IO_ERROR'],
  ['EXDEV', 'EXDEV'],
])('%s ends the claim at once: the next slot would fare no better', async (name, code) => {
  const { pool, locker } = await openPool(3)
  let tries = 0
  locker.onTryLock = () => {
    tries++
    return errno(name)
  }
  await expect(pool.claim({ timeoutMs: 30_000 })).rejects.toMatchObject({ code })
  expect(tries).toBe(1)
})

test('an error of the shared try is no proof: it is thrown, not "in use"', async () => {
  const { pool, locker } = await openPool(1)
  await pool.claim()
  locker.onWatch = () => errno('EMFILE')
  await expect(pool.tryClaim()).rejects.toMatchObject({ code: 'PROCREF_TOO_MANY_OPEN_FILES' })
  locker.onWatch = () => undefined
  locker.onProbe = () => 'unknown'
  await expect(pool.tryClaim()).rejects.toMatchObject({ code: 'PROCREF_TOO_MANY_OPEN_FILES' })
})

test('a file that is replaced as fast as it is locked is named, and no lock is kept', async () => {
  const { pool, locker, dir } = await openPool(1)
  locker.onTryLock = (path) => {
    queueDeletion(locker, path)
    return undefined
  }
  await expect(pool.claim()).rejects.toMatchObject({
    code: 'PROCREF_SLOT_FILE_UNSTABLE',
    path: join(dir, 'slot_00.lock'),
  })
  expect(locker.locks.size).toBe(0)
})

/** Deletes the file as soon as it is locked. */
function queueDeletion(locker: TestLocker, path: string): void {
  const isLocked = locker.isLocked
  locker.isLocked = () => {
    locker.isLocked = isLocked
    unlinkSync(path)
    return false
  }
}

test('a file that is replaced once while it is locked is locked anew', async () => {
  const { pool, locker, dir } = await openPool(1)
  queueDeletion(locker, join(dir, 'slot_00.lock'))
  const slot = await pool.claim()
  await slot.verify()
  expect(locker.locks.size).toBe(1)
})

test('a deleted directory is made anew, pin and all, for the next claim', async () => {
  const { pool, dir } = await openPool(3)
  await (await pool.claim()).release()
  rmSync(dir, { recursive: true })
  const slot = await pool.claim()
  await slot.verify()
  expect(JSON.parse(readFileSync(join(dir, 'protocol.json'), 'utf8'))).toMatchObject({ protocol: 'test', slots: 3 })
  expect(statSync(dir).mode & 0o777).toBe(0o700)
})

// A finds its directory deleted
// B makes it, for a pool of another size
// A makes it anew
test('a directory that was made anew for another pool is refused, not mixed', async () => {
  const { pool, locker, dir } = await openPool(3)
  rmSync(dir, { recursive: true })
  locker.onTryLock = () => {
    locker.onTryLock = () => undefined
    mkdirSync(dir, { mode: 0o700 })
    pinProtocol(dir, { protocol: 'test', slots: 4 })
    return errno('ENOENT')
  }
  await expect(pool.claim()).rejects.toMatchObject({ code: 'PROCREF_POOL_SIZE_MISMATCH', found: 4, wanted: 3 })
})

test('a full disk does not turn a claimer away: the record is a label', async () => {
  for (const name of ['ENOSPC', 'EDQUOT']) {
    const pwrite = (): never => {
      throw errno(name)
    }
    const { pool } = await openPool(1, { system: onceOpen({ pwrite }) })
    const slot = await pool.claim()
    expect(readFileSync(slot.path ?? '', 'utf8')).toBe('')
  }
})

test('any other trouble with the record gives the lock back and is thrown', async () => {
  const pwrite = (): never => {
    throw errno('EIO')
  }
  const { pool, locker } = await openPool(1, { system: onceOpen({ pwrite }) })
  await expect(pool.claim()).rejects.toThrow('EIO')
  expect(locker.locks.size).toBe(0)
})

/** Calls that work as ever for the pin, so that a pool can be opened. */
function onceOpen(calls: Partial<SystemCalls>): SystemCalls {
  let isOpen = false
  const link: SystemCalls['link'] = (existing, path) => {
    isOpen = true
    systemCalls.link(existing, path)
  }
  const pwrite: SystemCalls['pwrite'] = (...args) =>
    (isOpen ? (calls.pwrite ?? systemCalls.pwrite) : systemCalls.pwrite)(...args)
  return { ...systemCalls, ...calls, link, pwrite }
}

test('a locker without descriptors has its record written by path', async () => {
  const { pool, locker } = await openPool(1)
  locker.isInheritable = 'bare'
  const slot = await pool.claim()
  expect(slot.fd).toBeUndefined()
  expect(parseRecord(readFileSync(slot.path ?? ''))).toMatchObject({ pid: process.pid, label: 'test' })
  expect(await pool.held()).toMatchObject([{ slot: 0, pid: process.pid, label: 'test' }])
})

test('the record is written over what is there and nothing is cut off', async () => {
  const { pool, dir } = await openPool(1)
  writeFileSync(join(dir, 'slot_00.lock'), 'x'.repeat(600))
  await pool.claim()
  const content = readFileSync(join(dir, 'slot_00.lock'), 'latin1')
  expect(content).toHaveLength(600)
  expect(content.slice(512)).toBe('x'.repeat(88))
  expect(parseRecord(readFileSync(join(dir, 'slot_00.lock')))).toMatchObject({ pid: process.pid, label: 'test' })
})

// A waits in a full pool
// A's claim is aborted
// the slot is released: nobody takes it
test('a claim that was aborted while it waited takes no slot afterwards', async () => {
  const { pool, locker } = await openPool(1)
  const slot = await pool.claim()
  const controller = new AbortController()
  const ends = await mustBlock(
    'claim()',
    pool.claim({ signal: controller.signal, timeoutMs: 60_000 }).catch((e) => e),
  )
  controller.abort(new Error('changed my mind'))
  await slot.release()
  expect(await ends()).toMatchObject({ message: 'changed my mind' })
  expect(locker.locks.size).toBe(0)
})

test('a claim that was aborted during the look itself gives back what it got', async () => {
  const { pool, locker } = await openPool(1)
  const controller = new AbortController()
  locker.onTryLock = () => {
    controller.abort(new Error('changed my mind'))
    return undefined
  }
  await expect(pool.claim({ signal: controller.signal })).rejects.toThrow('changed my mind')
  expect(locker.locks.size).toBe(0)
})

test('a claim that waits gets the slot that is released', async () => {
  const { pool } = await openPool(1)
  const slot = await pool.claim()
  const claimed = await mustBlock('claim()', pool.claim({ timeoutMs: 60_000 }))
  await slot.release()
  expect((await claimed()).id).toBe(0)
})

test('a time-out that makes no sense is the caller’s mistake', async () => {
  const { pool } = await openPool(1)
  for (const timeoutMs of [-1, Number.NaN]) await expect(pool.claim({ timeoutMs })).rejects.toThrow(TypeError)
})

test('claims in a pool of thousands let the event loop work in between', async () => {
  const { pool, locker } = await openPool(1000)
  locker.onTryLock = () => 'refused'
  locker.onProbe = () => 'held'
  for (let slot = 0; slot < 1000; slot++)
    writeFileSync(join(pool.dir, `slot_${String(slot).padStart(2, '0')}.lock`), '')
  let turns = 0
  const turn = (): void => {
    turns++
    next = setImmediate(turn)
  }
  let next = setImmediate(turn)
  expect(await pool.tryClaim()).toBeUndefined()
  clearImmediate(next)
  expect(turns).toBeGreaterThanOrEqual(6)
})
