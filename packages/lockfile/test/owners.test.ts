import { cpSync, mkdirSync, readdirSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { identifySelf } from '@procref/core'
import { lockfile } from '@procref/lockfile'
import { atEnd, freshDir, startChild, startProgram } from '@procref/testing'
import { expect, test } from 'vitest'
// Not part of the public interface.
import { Heart } from '../dist/heart.js'
import { Observer } from '../dist/observer.js'
import { isOver, newestOwner, ownersOf } from '../dist/owners.js'

const LEASE_MS = 10_000
const { locks } = lockfile()

function freshOwners(): string {
  const owners = ownersOf(join(freshDir(), 'a.lock'))
  mkdirSync(owners, { mode: 0o700 })
  return owners
}

/** An observer whose time the test makes pass. */
function observer() {
  let now = 0
  const watcher = new Observer(LEASE_MS, () => now)
  return {
    judge: (owners: string) => watcher.judge(owners),
    /** Lets `ms` pass, looking every `every` ms. */
    watch(owners: string, ms: number, every: number) {
      for (const end = now + ms; now < end; ) {
        now += every
        const verdict = watcher.judge(owners)
        if (verdict.free) return { verdict, after: now }
      }
      return { verdict: { free: false }, after: now }
    },
  }
}

const steps = {
  'made its directory': (owners: string) => mkdirSync(join(owners, '5')),
  'written half of its record': (owners: string) => {
    mkdirSync(join(owners, '5'))
    writeFileSync(join(owners, '5.json'), '{"leaseMs":10000,"proc')
  },
  'written its record': (owners: string) => {
    mkdirSync(join(owners, '5'))
    writeFileSync(join(owners, '5.json'), JSON.stringify({ leaseMs: LEASE_MS }))
  },
  'removed its directory without giving back': (owners: string) => {
    writeFileSync(join(owners, '5.json'), JSON.stringify({ leaseMs: LEASE_MS }))
  },
}

test.each(Object.entries(steps))(
  'an owner killed when it had %s keeps the lock for one lease, in which it could still go on',
  (_step, leave) => {
    const owners = freshOwners()
    leave(owners)
    const { judge, watch } = observer()
    expect(judge(owners)).toEqual({ free: false })
    expect(watch(owners, LEASE_MS - 500, 500).verdict).toEqual({ free: false })
    expect(watch(owners, 1_000, 500).verdict).toEqual({ free: true, next: 6 })
  },
)

test('an owner killed when it had given back, and cleaned nothing, is free at once', () => {
  const owners = freshOwners()
  mkdirSync(join(owners, '5'))
  writeFileSync(join(owners, '5.json'), JSON.stringify({ leaseMs: LEASE_MS }))
  writeFileSync(join(owners, '5.free'), '')
  expect(observer().judge(owners)).toEqual({ free: true, next: 6 })
})

test('a proven death is free at once; a pid of another boot, pid namespace or nobody’s record proves nothing', () => {
  const own = identifySelf()
  const owned = (process: object) => {
    const owners = freshOwners()
    mkdirSync(join(owners, '1'))
    writeFileSync(join(owners, '1.json'), JSON.stringify({ leaseMs: LEASE_MS, process }))
    return observer().judge(owners).free
  }
  expect(owned({ ...own, startTicks: '1' })).toBe(true)
  expect(owned(own)).toBe(false)
  expect(owned({ ...own, startTicks: '1', bootId: 'another' })).toBe(false)
  expect(owned({ ...own, startTicks: '1', pidNamespace: 'pid:[1]' })).toBe(false)
  expect(owned({ pid: own.pid })).toBe(false)
})

test('silence is counted as it was seen: one long gap between two looks is a quarter of the lease, a heartbeat begins anew', () => {
  const owners = freshOwners()
  mkdirSync(join(owners, '1'))
  const { judge, watch } = observer()
  judge(owners)
  expect(watch(owners, 100 * LEASE_MS, 50 * LEASE_MS).verdict).toEqual({ free: false })
  utimesSync(join(owners, '1'), new Date(1), new Date(1))
  expect(watch(owners, 3 * LEASE_MS, LEASE_MS).verdict).toEqual({ free: false })
  utimesSync(join(owners, '1'), new Date(2), new Date(2))
  const { verdict, after } = watch(owners, 10 * LEASE_MS, LEASE_MS)
  expect(verdict).toEqual({ free: true, next: 2 })
  // The look that sees the heartbeat, and four that see nothing new.
  expect(after).toBe((100 + 3 + 5) * LEASE_MS)
})

test('deleted records free nothing at once for who has seen their owner: only its death or the lease does', () => {
  const own = identifySelf()
  for (const [process, free] of [
    [own, false],
    [{ ...own, startTicks: '1', bootId: 'another' }, false],
  ] as const) {
    const owners = freshOwners()
    mkdirSync(join(owners, '3'))
    writeFileSync(join(owners, '3.json'), JSON.stringify({ leaseMs: LEASE_MS, process }))
    const { judge, watch } = observer()
    expect(judge(owners)).toEqual({ free: false })
    rmSync(owners, { recursive: true })
    expect(judge(owners).free).toBe(free)
    expect(watch(owners, LEASE_MS - 500, 500).verdict).toEqual({ free: false })
    expect(watch(owners, 1_000, 500).verdict).toEqual({ free: true, next: 1 })
    expect(observer().judge(owners)).toEqual({ free: true, next: 1 })
  }
})

test('an owner’s own lease counts, not that of who looks', () => {
  const owners = freshOwners()
  mkdirSync(join(owners, '1'))
  writeFileSync(join(owners, '1.json'), JSON.stringify({ leaseMs: 3 * LEASE_MS }))
  const { judge, watch } = observer()
  judge(owners)
  expect(watch(owners, 2.9 * LEASE_MS, 1_000).verdict.free).toBe(false)
  expect(watch(owners, LEASE_MS, 1_000).verdict.free).toBe(true)
})

test('a claimer that slept since its look takes nothing, whatever others did meanwhile', () => {
  const path = join(freshDir(), 'a.lock')
  const owners = ownersOf(path)
  const heart = new Heart()
  const takes = (number: number) =>
    heart.take(owners, number, { leaseMs: LEASE_MS, claim: `${number}` }, 2_000, () =>
      expect.unreachable('it was never had'),
    )
  // It would have taken 1; others have taken 1 to 50 and given them back, and what is long past was cleaned away.
  for (let round = 1; round <= 50; round++) locks.tryLock(path)?.release()
  expect(newestOwner(owners)).toMatchObject({ number: 50, free: true })
  expect(readdirSync(owners)).not.toContain('1.free')
  for (const number of [1, 33, 34, 49, 50]) expect(takes(number), String(number)).toBe(false)
  const held = locks.tryLock(path)
  expect(held?.fence).toBe(51)
  for (const number of [1, 50, 51]) expect(takes(number), String(number)).toBe(false)
  expect(held?.isCurrent()).toBe(true)
  expect(isOver(owners, 51)).toBe(false)
  held?.release()
})

test('what is no generation is left alone, and misleads nobody', () => {
  const path = join(freshDir(), 'a.lock')
  const owners = ownersOf(path)
  locks.tryLock(path)?.release()
  const strange = ['0', '007', '-3', '1e9', '99999999999999999999', 'x.free', '12.free.tmp', '.json']
  for (const name of strange) writeFileSync(join(owners, name), '')
  for (let round = 0; round < 40; round++) locks.tryLock(path)?.release()
  expect(newestOwner(owners)).toMatchObject({ number: 41, free: true })
  expect(readdirSync(owners)).toEqual(expect.arrayContaining(strange))
})

test('few old generations stay, all for their owner alone', () => {
  const path = join(freshDir(), 'a.lock')
  for (let round = 0; round < 100; round++) locks.tryLock(path)?.release()
  const held = locks.tryLock(path)
  const owners = ownersOf(path)
  expect(readdirSync(owners).length).toBeLessThan(60)
  expect(statSync(owners).mode & 0o777).toBe(0o700)
  expect(statSync(join(owners, '101')).mode & 0o777).toBe(0o700)
  expect(statSync(join(owners, '101.json')).mode & 0o777).toBe(0o600)
  held?.release()
})

test('a link in the place of the owners’ directory is refused, with its path', () => {
  const path = join(freshDir(), 'a.lock')
  const elsewhere = freshDir()
  symlinkSync(elsewhere, ownersOf(path))
  expect(() => locks.tryLock(path)).toThrow(ownersOf(path))
  expect(readdirSync(elsewhere)).toEqual([])
})

test('a holder learns that its records were deleted', async () => {
  const path = join(freshDir(), 'a.lock')
  const lock = lockfile({ leaseMs: 5_000 }).locks.tryLock(path) ?? expect.unreachable()
  const lost = new Promise<string>((resolve) => lock.onLost?.(resolve))
  rmSync(ownersOf(path), { recursive: true })
  expect(lock.isCurrent()).toBe(false)
  expect(await lost).toMatch(/deleted|heartbeat failed/)
  lock.release()
})

test('where threads are not allowed, the error says so, and support() says no', async () => {
  const permission = Number(process.versions.node.split('.')[0]) >= 24 ? '--permission' : '--experimental-permission'
  const child = atEnd(
    startChild(new URL('./children/without-threads.mjs', import.meta.url), {
      args: [freshDir()],
      execArgv: [permission, '--allow-fs-read=*', '--allow-fs-write=*', '--no-warnings'],
    }),
  )
  const { support, code } = await child.event<{ support: { supported: boolean; reason: string }; code: string }>('said')
  expect(code).toBe('PROCREF_HEART_UNAVAILABLE')
  expect(support).toMatchObject({ supported: false, reason: expect.stringContaining('native()') })
})

test.runIf(process.platform === 'linux')(
  'without descriptors for the thread the system’s own error is told at once, and with them it works',
  async () => {
    const program = fileURLToPath(new URL('./children/few-descriptors.mjs', import.meta.url))
    const child = atEnd(startProgram('prlimit', { args: ['--nofile=150:150', process.execPath, program, freshDir()] }))
    await child.exited
    const codes = child
      .stdout()
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { code: string }).code)
    expect(codes.at(-1)).toBe('taken')
    expect(codes.length).toBeGreaterThan(1)
    // A thread that failed may still be ending, with the one descriptor that the look at our package.json needs: that look names its trouble.
    for (const code of codes.slice(0, -1)) expect(['EMFILE', 'PROCREF_TOO_MANY_OPEN_FILES']).toContain(code)
    expect(codes).toContain('EMFILE')
  },
)

test('a part that is missing is told at once, and what is missing: the thread’s program, or its library', async () => {
  const incomplete = (without: string) => {
    const folder = join(freshDir(), 'node_modules/@procref/lockfile')
    cpSync(new URL('../dist', import.meta.url), join(folder, 'dist'), { recursive: true })
    mkdirSync(join(folder, 'node_modules/@procref'), { recursive: true })
    symlinkSync(new URL('../../core', import.meta.url), join(folder, 'node_modules/@procref/core'))
    writeFileSync(join(folder, 'package.json'), '{"name":"@procref/lockfile","type":"module"}')
    rmSync(join(folder, without), { force: true })
    return join(folder, 'dist/locker.js')
  }
  for (const [without, named] of [
    ['dist/heart-worker.js', /there is no .*heart-worker\.js/],
    ['(nothing)', /proper-lockfile/],
  ] as const) {
    const { lockfileLocker } = await import(incomplete(without))
    const take = () => lockfileLocker(LEASE_MS).tryLock(join(freshDir(), 'a.lock'))
    expect(take).toThrow(expect.objectContaining({ code: 'PROCREF_HEART_UNAVAILABLE' }))
    expect(take).toThrow(named)
  }
})

test.each([0, 4_999, 600_001, 5_000.5, Number.NaN])('a lease of %d ms is refused', (leaseMs) => {
  expect(() => lockfile({ leaseMs })).toThrow(TypeError)
})
