import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  type FileLocker,
  type MigrationPhase,
  migrating,
  readProtocolPin,
  rebuildFromDescriptor,
  type SlotBackend,
  type SlotPool,
} from '@procref/core'
import { freshDir } from '@procref/testing'
import { describe, expect, test } from 'vitest'
import { testBackend } from './test-backend.ts'
import { errno, TestLocker } from './test-locker.ts'

const GUARANTEES = testBackend().guarantees

/** Two worlds in one process; of one kind, or with locks that know nothing of each other. */
function worlds(kind?: string): { readonly from: SlotBackend; readonly to: SlotBackend } {
  const locker = (): TestLocker => Object.assign(new TestLocker(), kind === undefined ? {} : { kind })
  const one = locker()
  return {
    from: testBackend({ name: 'old', locker: one }),
    to: testBackend({ name: 'new', locker: kind === undefined ? locker() : one }),
  }
}

test('two backends of one protocol are refused: there is nothing to migrate', () => {
  const { from } = worlds()
  expect(() => migrating({ from, to: testBackend({ name: 'other', protocol: 'old' }), phase: 1 })).toThrow(
    expect.objectContaining({ code: 'PROCREF_NOTHING_TO_MIGRATE', message: expect.stringContaining('"old"') }),
  )
})

test.each([0, 4, 1.5])('%d is no phase', (phase) => {
  expect(() => migrating({ ...worlds(), phase: phase as MigrationPhase })).toThrow(TypeError)
})

test('the guarantees of phase 1 are the weaker ones of both; phase 3 has those of the new backend', () => {
  const from = testBackend({
    name: 'old',
    guarantees: { ...GUARANTEES, crashRelease: 'watchdog', maxRecoveryMs: 5_000, inheritableByChild: true },
  })
  const to = testBackend({
    name: 'new',
    guarantees: { ...GUARANTEES, scope: 'network-namespace', maxRecoveryMs: 1_000, platforms: ['linux'] },
  })
  expect(migrating({ from, to, phase: 1 }).guarantees).toEqual({
    crashRelease: 'watchdog',
    maxRecoveryMs: 5_000,
    scope: 'network-namespace',
    inheritableByChild: false,
    locksInheritableByChild: false,
    interoperatesWithSeed: false,
    platforms: ['linux'],
  })
  expect(migrating({ from, to, phase: 2 }).guarantees).toMatchObject({ crashRelease: 'watchdog', maxRecoveryMs: 5_000 })
  expect(migrating({ from, to, phase: 3 }).guarantees).toBe(to.guarantees)
})

test('its descriptor holds both, and from it another process rebuilds the same', async () => {
  const module = `data:text/javascript,${encodeURIComponent('export const make = ({ name }) => ({ name })')}`
  const { from, to } = worlds()
  const { descriptor } = migrating({ from, to, phase: 2 })
  expect(descriptor).toMatchObject({
    factory: 'rebuildMigrating',
    options: { from: from.descriptor, to: to.descriptor, phase: 2 },
  })
  expect(JSON.parse(JSON.stringify(descriptor))).toEqual(descriptor)
  const lost = { ...descriptor, options: { from: { module, factory: 'make', options: { name: 'x' } } } }
  // A part that cannot be rebuilt is named, not passed over.
  await expect(rebuildFromDescriptor(lost as typeof descriptor)).rejects.toMatchObject({
    code: 'PROCREF_DESCRIPTOR_UNUSABLE',
  })
})

describe('slots', () => {
  test('phase 1 that gets no new slot gives the old one back, also when the new pool throws', async () => {
    const { from, to } = worlds()
    const dir = join(freshDir(), 'slots')
    await using pool = await migrating({ from, to, phase: 1 }).open(dir, { slots: 1 })
    await using two = await migrating({ from, to, phase: 2 }).open(dir)
    await using old = await from.open(dir)
    const taken = await two.claim()
    expect(await pool.tryClaim()).toBeUndefined()
    expect(await old.count()).toBe(0)
    await expect(pool.claim()).rejects.toMatchObject({ code: 'PROCREF_SLOTS_EXHAUSTED' })
    await taken.release()
    const locker = to.locks as TestLocker
    locker.onTryLock = () => Object.assign(new Error('EMFILE'), { code: 'EMFILE' })
    await expect(pool.tryClaim()).rejects.toThrow('EMFILE')
    expect(await old.count()).toBe(0)
    locker.onTryLock = () => undefined
    await using slot = await pool.claim()
    expect([await old.count(), await two.count(), await pool.count()]).toEqual([1, 1, 1])
    await slot.release()
    expect([await old.count(), await two.count(), await pool.count()]).toEqual([0, 0, 0])
  })

  test('phase 2 counts who holds only an old slot, and who holds both once', async () => {
    const { from, to } = worlds()
    const dir = join(freshDir(), 'slots')
    await using two = await migrating({ from, to, phase: 2 }).open(dir, { slots: 4 })
    await using one = await migrating({ from, to, phase: 1 }).open(dir)
    await using old = await from.open(dir)
    await using both = await one.claim()
    expect([await two.count(), (await two.held()).length]).toEqual([1, 1])
    await using mine = await two.claim()
    expect(await two.count()).toBe(2)
    await both.release()
    await mine.release()
    await using plain = await old.claim()
    expect([await two.count(), await two.provenEmpty(), await one.provenEmpty()]).toEqual([1, false, false])
    expect(await two.held()).toMatchObject([{ pid: process.pid }])
    let empty = false
    const waits = two.whenEmpty().then(() => {
      empty = true
    })
    expect(empty).toBe(false)
    await plain.release()
    await waits
    expect(await two.provenEmpty()).toBe(true)
  })

  test('a slot of both is lost with either half, and then releases the other', async () => {
    const { from, to } = worlds()
    const dir = join(freshDir(), 'slots')
    await using pool = await migrating({ from, to, phase: 1 }).open(dir, { slots: 1 })
    const slot = await pool.claim()
    rmSync(join(dir, 'slot_00.lock'))
    await expect(slot.verify()).rejects.toMatchObject({ code: 'PROCREF_SLOT_LOST' })
    expect(slot.lost.aborted).toBe(true)
    await slot.release()
    await (await pool.claim()).verify()
  })

  // phase 1 opens the old pool, then the new one
  // `procref migrate` says in the pin that it moves the directory
  // phase 1 looks whether all is still as it was
  test('a directory that begins to move while it is opened is refused, and nothing of it stays open', async () => {
    const dir = join(freshDir(), 'slots')
    const left = new Set<SlotPool>()
    const noting = (backend: SlotBackend, afterwards: () => void): SlotBackend => ({
      ...backend,
      async open(...given) {
        const pool = await backend.open(...given)
        left.add(pool)
        const close = pool.close.bind(pool)
        pool.close = () => close().then(() => void left.delete(pool))
        afterwards()
        return pool
      },
    })
    const { from, to } = worlds()
    const pin = join(dir, 'protocol.json')
    const begin = (): void => {
      const before = JSON.parse(readFileSync(pin, 'utf8'))
      writeFileSync(pin, JSON.stringify({ ...before, format: 2, moving: { to: 'new' } }))
    }
    const opening = migrating({ from: noting(from, () => {}), to: noting(to, begin), phase: 1 }).open(dir, { slots: 1 })
    await expect(opening).rejects.toMatchObject({ code: 'PROCREF_DIRECTORY_MOVING' })
    expect(left.size).toBe(0)
  })

  test('phase 3 is refused where phase 1 and 2 never were: its users would not see those of the old backend', async () => {
    const { from, to } = worlds()
    const dir = join(freshDir(), 'slots')
    await (await from.open(dir, { slots: 1 })).close()
    const three = migrating({ from, to, phase: 3 })
    await expect(three.open(dir)).rejects.toMatchObject({ code: 'PROCREF_PROTOCOL_MISMATCH' })
    expect(await three.support(dir)).toMatchObject({ supported: false })
    await (await migrating({ from, to, phase: 2 }).open(dir)).close()
    await (await three.open(dir)).close()
  })

  test('in a new directory phase 1 and 2 begin in the old world, phase 3 in the new one', async () => {
    const { from, to } = worlds()
    for (const phase of [1, 2, 3] as const) {
      const dir = join(freshDir(), 'slots')
      await (await migrating({ from, to, phase }).open(dir, { slots: 2 })).close()
      expect(readProtocolPin(dir)).toEqual({ protocol: phase === 3 ? 'new' : 'old', slots: 2 })
    }
  })
})

describe('control locks', () => {
  const path = (): string => join(freshDir(), 'guardian.lock')

  function locksOf(phase: MigrationPhase, parts: ReturnType<typeof worlds>): FileLocker {
    return migrating({ ...parts, phase }).locks
  }

  test('of one kind they are taken once', () => {
    const parts = worlds('flock')
    for (const phase of [1, 2, 3] as const) expect(locksOf(phase, parts)).toBe(parts.to.locks)
  })

  test.each([
    ['plain old users', 'from'],
    ['plain new users', 'to'],
  ] as const)('phase 1 excludes %s, both ways round, and keeps nothing when it is refused', (_who, world) => {
    const parts = worlds()
    const one = locksOf(1, parts)
    const at = path()
    const theirs = parts[world].locks.tryLock(at) ?? expect.unreachable()
    expect(one.tryLock(at)).toBeUndefined()
    expect(one.watch(at).probe()).toBe('held')
    const other = parts[world === 'from' ? 'to' : 'from'].locks
    ;(other.tryLock(at) ?? expect.unreachable()).release()
    theirs.release()
    const ours = one.tryLock(at) ?? expect.unreachable()
    expect(ours.fd).toBeUndefined()
    expect([parts.from.locks.tryLock(at), parts.to.locks.tryLock(at)]).toEqual([undefined, undefined])
    ours.release()
    expect(one.watch(at).probe()).toBe('free')
    ;(parts[world].locks.tryLock(at) ?? expect.unreachable()).release()
  })

  test('phase 2 takes the new one, and none while the old one is held', () => {
    const parts = worlds()
    const [one, two, three] = ([1, 2, 3] as const).map((phase) => locksOf(phase, parts))
    if (one === undefined || two === undefined || three === undefined) return expect.unreachable()
    const at = path()
    const old = parts.from.locks.tryLock(at) ?? expect.unreachable()
    expect(two.tryLock(at)).toBeUndefined()
    expect(two.watch(at).probe()).toBe('held')
    old.release()
    const ours = two.tryLock(at) ?? expect.unreachable()
    expect([one.tryLock(at), two.tryLock(at), three.tryLock(at)]).toEqual([undefined, undefined, undefined])
    for (const locks of [one, two, three]) expect(locks.watch(at).probe()).toBe('held')
    ours.release()
    ;(three.tryLock(at) ?? expect.unreachable()).release()
  })

  test('a lock whose one half the system refuses to release gives the other one back', () => {
    const parts = worlds()
    const at = path()
    const lock = locksOf(1, parts).tryLock(at) ?? expect.unreachable()
    const { locks } = parts.to
    if (!(locks instanceof TestLocker)) return expect.unreachable()
    locks.onRelease = () => errno('EIO')
    expect(() => lock.release()).toThrow('EIO')
    ;(parts.from.locks.tryLock(at) ?? expect.unreachable()).release()
  })

  test('a lock is current only while both halves are', () => {
    const one = locksOf(1, worlds())
    const dir = join(freshDir(), 'root')
    mkdirSync(dir)
    const at = join(dir, 'guardian.lock')
    const lock = one.tryLock(at) ?? expect.unreachable()
    const watch = one.watch(at)
    expect([lock.isCurrent(), watch.isCurrent()]).toEqual([true, true])
    rmSync(at)
    expect([lock.isCurrent(), watch.isCurrent(), watch.probe()]).toEqual([false, false, 'held'])
    lock.release()
    expect(watch.probe()).toBe('free')
    watch.close()
    expect(watch.probe()).toBe('unknown')
  })
})
