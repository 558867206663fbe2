import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { BackendUnavailableError, type SlotPool, systemCalls } from '@procref/core'
import { atEnd, freshDir, mustBlock, startChild } from '@procref/testing'
import { expect, test } from 'vitest'
import { testBackend } from './test-backend.ts'
import { errno, TestLocker } from './test-locker.ts'

interface Opened {
  readonly pool: SlotPool
  readonly locker: TestLocker
  readonly dir: string
}

async function openPool(slots: number): Promise<Opened> {
  const locker = new TestLocker()
  const dir = join(freshDir(), 'slots')
  return { pool: atEnd(await testBackend({ locker }).open(dir, { slots })), locker, dir }
}

test('slots that nobody ever used are not looked at, and a pool of them is empty', async () => {
  const { pool, locker } = await openPool(1000)
  locker.probes = 0
  expect(await pool.provenEmpty()).toBe(true)
  expect(await pool.held()).toEqual([])
  expect(locker.probes).toBe(0)
})

test('a slot that cannot be looked at counts as held, and keeps the pool from being proven empty', async () => {
  const { pool, locker, dir } = await openPool(2)
  writeFileSync(join(dir, 'slot_00.lock'), '')
  writeFileSync(join(dir, 'slot_01.lock'), '')
  locker.onProbe = () => 'unknown'
  expect(await pool.count()).toBe(2)
  expect(await pool.held()).toEqual([
    { slot: 0, path: join(dir, 'slot_00.lock') },
    { slot: 1, path: join(dir, 'slot_01.lock') },
  ])
  await expect(pool.provenEmpty()).rejects.toMatchObject({ code: 'PROCREF_TOO_MANY_OPEN_FILES' })
  locker.onProbe = () => undefined
  locker.onWatch = () => errno('EACCES')
  expect(await pool.count()).toBe(2)
  await expect(pool.provenEmpty()).rejects.toMatchObject({ code: 'PROCREF_PERMISSION_DENIED' })
  locker.onWatch = () => undefined
  expect(await pool.count()).toBe(0)
  expect(await pool.provenEmpty()).toBe(true)
})

test('a directory that cannot be listed is an error for every look, never "empty"', async () => {
  const { pool, dir } = await openPool(1)
  const readdir = (path: string): string[] => {
    if (path === dir) throw errno('EACCES')
    return systemCalls.readdir(path)
  }
  const blind = atEnd(await testBackend({ system: { ...systemCalls, readdir } }).open(dir))
  for (const look of [blind.provenEmpty(), blind.count(), blind.held()]) {
    await expect(look).rejects.toMatchObject({ code: 'PROCREF_PERMISSION_DENIED', path: dir })
  }
  await mustBlock(
    'whenEmpty()',
    blind.whenEmpty().catch(() => {}),
  )
  expect(await pool.provenEmpty()).toBe(true)
})

test('slots beyond the pool’s size and names of other programs count as well', async () => {
  const { pool, locker, dir } = await openPool(2)
  for (const name of ['slot_150.lock', 'slot_7.lock']) expect(locker.tryLock(join(dir, name))).toBeDefined()
  expect((await pool.held()).map(({ slot }) => slot)).toEqual([7, 150])
  expect(await pool.provenEmpty()).toBe(false)
})

test('a holder that was seen stays seen when its file, or the whole directory, is deleted', async () => {
  for (const remove of [(dir: string) => join(dir, 'slot_00.lock'), (dir: string) => dir]) {
    const { pool, locker, dir } = await openPool(1)
    const other = atEnd(await testBackend({ locker }).open(dir, { label: 'other' }))
    const slot = await other.claim()
    const before = await pool.held()
    rmSync(remove(dir), { recursive: true })
    expect(await pool.held()).toEqual(before)
    expect(before[0]).toMatchObject({ slot: 0, pid: process.pid, label: 'other' })
    expect(await pool.count()).toBe(1)
    expect(await pool.provenEmpty()).toBe(false)
    await slot.release()
    expect(await pool.provenEmpty()).toBe(true)
  }
})

test('seeing by provenEmpty() and by count() is enough to stay seen', async () => {
  for (const look of ['provenEmpty', 'count'] as const) {
    const { pool, locker, dir } = await openPool(3)
    const other = atEnd(await testBackend({ locker }).open(dir))
    const slots = [await other.claim(), await other.claim(), await other.claim()]
    await pool[look]()
    rmSync(dir, { recursive: true })
    expect(await pool.count()).toBe(3)
    for (const slot of slots) await slot.release()
  }
})

test('a deleted file whose slot is taken anew is two holders, each with its own name', async () => {
  const { pool, locker, dir } = await openPool(1)
  const first = atEnd(await testBackend({ locker }).open(dir, { label: 'first' }))
  const second = atEnd(await testBackend({ locker }).open(dir, { label: 'second' }))
  await first.claim()
  await pool.held()
  rmSync(join(dir, 'slot_00.lock'))
  const slot = await second.claim()
  expect((await pool.held()).map(({ slot, label }) => ({ slot, label }))).toEqual([
    { slot: 0, label: 'first' },
    { slot: 0, label: 'second' },
  ])
  await slot.release()
  expect(await pool.count()).toBe(1)
})

test('a directory that was moved away and put back hides nobody', async () => {
  const { pool, locker, dir } = await openPool(1)
  const other = atEnd(await testBackend({ locker }).open(dir))
  const slot = await other.claim()
  await pool.count()
  renameSync(dir, `${dir}.away`)
  expect(await pool.provenEmpty()).toBe(false)
  renameSync(`${dir}.away`, dir)
  expect(await pool.count()).toBe(1)
  await slot.release()
  expect(await pool.provenEmpty()).toBe(true)
})

test('one watch is kept for each slot in use, none for free ones, and none after close()', async () => {
  const { pool, locker } = await openPool(10)
  const slots = [await pool.claim(), await pool.claim(), await pool.claim()]
  for (let n = 0; n < 3; n++) await pool.count()
  expect(locker.watches.size).toBe(3)
  await slots[1]?.release()
  await pool.count()
  expect(locker.watches.size).toBe(2)
  await pool.close()
  expect(locker.watches.size).toBe(0)
  expect(locker.locks.size).toBe(0)
})

test('naming the holders of a full pool keeps nothing open', async () => {
  const { pool, locker } = await openPool(2)
  await pool.claim()
  await pool.claim()
  await expect(pool.claim()).rejects.toMatchObject({ holders: [{ slot: 0 }, { slot: 1 }] })
  expect(locker.watches.size).toBe(0)
})

test('a full pool whose holders cannot be listed is full all the same', async () => {
  const { pool, locker, dir } = await openPool(1)
  await pool.claim()
  const readdir = (path: string): string[] => {
    if (path === dir) throw errno('EMFILE')
    return systemCalls.readdir(path)
  }
  const blind = atEnd(await testBackend({ locker, system: { ...systemCalls, readdir } }).open(dir))
  await expect(blind.claim()).rejects.toMatchObject({ code: 'PROCREF_SLOTS_EXHAUSTED', size: 1, holders: [] })
})

test('waiting for an empty pool looks at one slot at a time, however many are held', async () => {
  const { pool, locker } = await openPool(200)
  for (let n = 0; n < 200; n++) await pool.claim()
  await pool.count()
  locker.probes = 0
  await mustBlock(
    'whenEmpty()',
    pool.whenEmpty().catch(() => {}),
  )
  expect(locker.probes).toBe(1)
})

test('whenEmpty() resolves after the last slot is released, and at once when none is held', async () => {
  const { pool } = await openPool(2)
  await pool.whenEmpty()
  const slots = [await pool.claim(), await pool.claim()]
  const resolves = await mustBlock('whenEmpty()', pool.whenEmpty())
  for (const slot of slots) await slot.release()
  await resolves()
})

test('where the kernel can wake us whenEmpty() waits for one holder after another', async () => {
  const { pool, locker } = await openPool(2)
  const woken: (() => void)[] = []
  locker.waitFree = () => new Promise((resolve) => woken.push(resolve))
  const slots = [await pool.claim(), await pool.claim()]
  const resolves = await mustBlock('whenEmpty()', pool.whenEmpty())
  expect(woken).toHaveLength(1)
  for (const slot of slots) await slot.release()
  woken[0]?.()
  await resolves()
})

test('a wait that the kernel refuses becomes a poll', async () => {
  const { pool, locker } = await openPool(1)
  locker.waitFree = () => Promise.reject(errno('EAGAIN'))
  const slot = await pool.claim()
  const resolves = await mustBlock('whenEmpty()', pool.whenEmpty())
  await slot.release()
  await resolves()
})

test('whenEmpty() rejects with the signal’s reason, and leaves nothing on the signal', async () => {
  const { pool } = await openPool(1)
  await pool.claim()
  const controller = new AbortController()
  const ends = await mustBlock(
    'whenEmpty()',
    pool.whenEmpty({ signal: controller.signal }).catch((e: unknown) => e),
  )
  controller.abort(new Error('enough'))
  expect(await ends()).toMatchObject({ message: 'enough' })
  await expect(pool.whenEmpty({ signal: controller.signal })).rejects.toThrow('enough')
})

test('a program that only waits for an empty pool can end', async () => {
  const { pool, dir } = await openPool(1)
  await pool.claim()
  await using child = startChild(new URL('./children/wait-for-empty.mjs', import.meta.url), { args: [dir] })
  await child.event('waits')
  expect(await child.exited).toMatchObject({ code: 0 })
})

test('close() gives back all slots although the system refuses one, and tells what it said', async () => {
  const locker = new TestLocker()
  const pool = await testBackend({ locker }).open(join(freshDir(), 'slots'), { slots: 3 })
  for (let slot = 0; slot < 3; slot++) await pool.claim()
  const [first] = locker.locks
  locker.onRelease = (lock) => (lock === first ? errno('EIO') : undefined)
  await expect(pool.close()).rejects.toMatchObject({ code: 'EIO' })
  expect([...locker.locks]).toEqual([first])
  expect(locker.watches.size).toBe(0)
  locker.onRelease = () => undefined
  first?.release()
})

test('close() ends every wait with an error that names the directory', async () => {
  const { pool, dir } = await openPool(1)
  await pool.claim()
  const waits = await Promise.all([
    mustBlock(
      'whenEmpty()',
      pool.whenEmpty().catch((e: unknown) => e),
    ),
    mustBlock(
      'claim()',
      pool.claim({ timeoutMs: 60_000 }).catch((e: unknown) => e),
    ),
  ])
  await pool.close()
  for (const wait of waits) expect(await wait()).toMatchObject({ code: 'PROCREF_POOL_CLOSED', dir })
})

test('lost is fired with the error that verify() throws, whenever it is first asked for', async () => {
  for (const asked of ['before', 'after']) {
    const { pool, dir } = await openPool(1)
    const slot = await pool.claim()
    if (asked === 'before') expect(slot.lost.aborted).toBe(false)
    await slot.verify()
    rmSync(join(dir, 'slot_00.lock'))
    const error = await slot.verify().catch((error: unknown) => error)
    expect(error).toMatchObject({ code: 'PROCREF_SLOT_LOST', slot: 0, path: join(dir, 'slot_00.lock') })
    expect(slot.lost.reason).toBe(error)
    // Put back or not: what was lost stays lost.
    writeFileSync(join(dir, 'slot_00.lock'), '')
    await expect(slot.verify()).rejects.toBe(error)
  }
})

test('a slot that cannot be looked at (EIO) is not lost: nobody has seen that anything is wrong', async () => {
  let fails = false
  const locker = new TestLocker()
  const tryLock = locker.tryLock.bind(locker)
  locker.tryLock = (path) => {
    const lock = tryLock(path)
    const isCurrent = lock?.isCurrent.bind(lock)
    return lock && Object.assign(lock, { isCurrent: () => !fails && isCurrent?.() === true })
  }
  const stat: typeof systemCalls.stat = (path) => {
    if (fails) throw errno('EIO')
    return systemCalls.stat(path)
  }
  const pool = atEnd(await testBackend({ locker, system: { ...systemCalls, stat } }).open(freshDir(), { slots: 1 }))
  const slot = await pool.claim()
  fails = true
  await expect(slot.verify()).rejects.toMatchObject({ code: 'PROCREF_IO_ERROR', path: slot.path })
  expect(slot.lost.aborted).toBe(false)
  fails = false
  await slot.verify()
})

test('a slot that was released is not lost, but verify() says that it is not ours', async () => {
  const { pool } = await openPool(1)
  const slot = await pool.claim()
  await slot.release()
  await expect(slot.verify()).rejects.toThrow(/slot 0 is ours no longer: it was released/i)
  expect(slot.lost.aborted).toBe(false)
  expect(slot.fd).toBeUndefined()
})

test('support() refuses in words: another platform, a missing part, another protocol, an unsafe directory', async () => {
  const { dir } = await openPool(1)
  const { guarantees } = testBackend()
  const elsewhere = testBackend({ guarantees: { ...guarantees, platforms: ['sunos'] } })
  expect(await elsewhere.support(dir)).toEqual({
    supported: false,
    reason: `test does not work on ${process.platform}`,
  })

  const check = (): never => {
    throw new BackendUnavailableError('test', 'its part is missing', 'Install it.')
  }
  const missing = testBackend({ check })
  expect(await missing.support(dir)).toMatchObject({ supported: false, reason: expect.stringContaining('Install it.') })
  await expect(missing.open(dir)).rejects.toMatchObject({ code: 'PROCREF_BACKEND_UNAVAILABLE' })

  const other = testBackend({ protocol: 'other' })
  expect(await other.support(dir)).toMatchObject({ supported: false, reason: expect.stringContaining('"other"') })
  await expect(other.open(dir)).rejects.toMatchObject({ code: 'PROCREF_PROTOCOL_MISMATCH' })

  const file = join(freshDir(), 'file')
  writeFileSync(file, '')
  expect(await testBackend().support(file)).toMatchObject({ supported: false, reason: expect.stringContaining(file) })
})

test('a network file system is refused before anything is made, unless it is overridden', async () => {
  const dir = join(freshDir(), 'slots')
  const backend = testBackend({ system: { ...systemCalls, statfsType: () => 0x6969n } })
  if (process.platform !== 'linux') return console.warn('not checked: types have numbers on Linux only')
  expect(await backend.support(dir)).toMatchObject({ supported: false, reason: expect.stringContaining('nfs') })
  await expect(backend.open(dir)).rejects.toMatchObject({ code: 'PROCREF_UNSUPPORTED_FILESYSTEM' })
  expect(readdirSync(join(dir, '..'))).toEqual([])
  expect(await backend.support(dir, { allowUnsafeFilesystem: true })).toEqual({ supported: true })
  const pool = atEnd(await backend.open(dir, { allowUnsafeFilesystem: true }))
  await pool.claim()
})

test('a medium on which locks do not exclude is refused, override or not, and not pinned', async () => {
  const locker = new TestLocker()
  locker.isLocked = () => false
  const backend = testBackend({ locker })
  const dir = join(freshDir(), 'slots')
  for (const options of [{}, { allowUnsafeFilesystem: true }]) {
    await expect(backend.open(dir, options)).rejects.toMatchObject({ code: 'PROCREF_UNSUPPORTED_FILESYSTEM' })
    expect(await backend.support(dir, options)).toMatchObject({ supported: false })
  }
  expect(readdirSync(dir)).toEqual([])
})

test('on a file system of unknown type the medium is tried out each time', async () => {
  if (process.platform !== 'linux') return console.warn('not checked: types have numbers on Linux only')
  const { dir } = await openPool(1)
  const locker = new TestLocker()
  const backend = testBackend({ locker, system: { ...systemCalls, statfsType: () => 0x12345678n } })
  await (await backend.open(dir)).close()
  locker.isLocked = () => false
  await expect(backend.open(dir)).rejects.toMatchObject({ code: 'PROCREF_UNSUPPORTED_FILESYSTEM' })
})

test('the record says who holds the slot, since when, and with which label', async () => {
  const { locker, dir } = await openPool(1)
  const pool = atEnd(await testBackend({ locker }).open(dir, { label: 'editor' }))
  await pool.claim()
  const [info] = await pool.held()
  expect(info).toMatchObject({ slot: 0, path: join(dir, 'slot_00.lock'), pid: process.pid, label: 'editor' })
  expect(Date.parse(info?.startedAt ?? '')).toBeLessThanOrEqual(Date.now())
  expect(info?.program).toContain('node')
  expect(readFileSync(join(dir, 'slot_00.lock'), 'utf8')).toMatch(new RegExp(`^${process.pid}\n`))
})
