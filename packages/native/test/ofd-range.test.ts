import {
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Slot, SlotPool } from '@procref/core'
import { ofdRange } from '@procref/native'
import { atEnd, type Child, eventually, freshDir, mustBlock, startChild, within } from '@procref/testing'
import { expect, test } from 'vitest'
import { describeNative } from './native-built.ts'

const SLOTS_A_FILE = 128

const child = (name: string, options: object): Child =>
  atEnd(startChild(new URL(`./children/${name}.mjs`, import.meta.url), { args: [JSON.stringify(options)] }))

async function holder(dir: string, slots: number, count: number, label?: string): Promise<Child> {
  const holds = child('fills', { dir, slots, count, label })
  await holds.event('holding')
  return holds
}

async function openPool(dir: string, slots?: number): Promise<SlotPool> {
  return atEnd(await ofdRange().open(dir, slots === undefined ? {} : { slots }))
}

async function claims(pool: SlotPool, count: number): Promise<Slot[]> {
  const slots: Slot[] = []
  for (let n = 0; n < count; n++) slots.push(await pool.claim())
  return slots
}

const shardFiles = (dir: string): string[] => readdirSync(dir).filter((name) => name.startsWith('ofd_'))

describeNative('ofdRange()', () => {
  test('a hundred thousand slots held by four processes are full, and those of a killed one come back', async () => {
    const dir = join(freshDir(), 'slots')
    const slots = 100_000
    const pool = await openPool(dir, slots)
    const holders = await Promise.all([1, 2, 3, 4].map(() => holder(dir, slots, slots / 4)))
    expect(await pool.tryClaim()).toBeUndefined()
    expect(await pool.count()).toBe(slots)
    expect(shardFiles(dir)).toHaveLength(Math.ceil(slots / SLOTS_A_FILE))
    const [killed] = holders
    killed?.kill('SIGKILL')
    await killed?.exited
    expect(await pool.count()).toBe((slots / 4) * 3)
    const mine = await claims(pool, slots / 4)
    expect(new Set(mine.map(({ id }) => id)).size).toBe(slots / 4)
    expect(await pool.tryClaim()).toBeUndefined()
    expect(await pool.provenEmpty()).toBe(false)
  }, 120_000)

  test('the hints may be anything at any time: no slot has two holders, and no free one is missed', async () => {
    const dir = join(freshDir(), 'slots')
    const marks = freshDir()
    const pool = await openPool(dir, 300)
    const all = await claims(pool, 300)
    // Four processes hold one at a time, so five of these are free whenever somebody looks.
    for (const slot of all.filter(({ id }) => id % 38 === 0)) await slot.release()
    const churning = Array.from({ length: 4 }, () => child('churns', { dir, marks, rounds: 5_000 }))
    for (const churns of churning) await churns.event('ready')
    let damaged = 0
    // Again where this process got no processor while they went on.
    for (let times = 0; times < 10 && damaged <= 20; times++) {
      for (const churns of churning) churns.send('go')
      let done = false
      const all4 = Promise.all(churning.map((churns) => churns.event('done'))).finally(() => {
        done = true
      })
      while (!done) {
        damage(join(dir, 'hints'), damaged++)
        await pause(1)
      }
      await all4
    }
    expect(damaged).toBeGreaterThan(20)
    expect(await pool.count()).toBe(292)
    expect(readdirSync(marks)).toEqual([])
  }, 120_000)

  test('a claim that waits in a pool larger than what the kernel watches gets the slot of a killed holder', async () => {
    const dir = join(freshDir(), 'slots')
    const pool = await openPool(dir, 1000)
    const holds = await holder(dir, 1000, 500)
    await claims(pool, 500)
    const finishes = await mustBlock('a claim of a full pool', pool.claim({ timeoutMs: 600_000 }))
    holds.kill('SIGKILL')
    await (await finishes()).verify()
  })

  test('a claim that waits gets what its own pool releases', async () => {
    const pool = await openPool(join(freshDir(), 'slots'), 3)
    const [first] = await claims(pool, 3)
    const finishes = await mustBlock('a claim of a full pool', pool.claim({ timeoutMs: 600_000 }))
    await first?.release()
    const slot = await finishes()
    expect(slot.id).toBe(first?.id)
    expect(await pool.count()).toBe(3)
    await slot.release()
    expect(await pool.count()).toBe(2)
  })

  test('whenEmpty() waits for holders in several files, also in one that was deleted', async () => {
    const dir = join(freshDir(), 'slots')
    const pool = await openPool(dir, 1000)
    const holders = [await holder(dir, 1000, 300), await holder(dir, 1000, 300)]
    expect(await pool.count()).toBe(600)
    for (const name of shardFiles(dir).slice(0, 2)) rmSync(join(dir, name))
    expect(await pool.count()).toBe(600)
    const finishes = await mustBlock('whenEmpty() of a pool in use', pool.whenEmpty())
    for (const holds of holders) {
      holds.kill('SIGKILL')
      await holds.exited
    }
    await finishes()
    expect(await pool.provenEmpty()).toBe(true)
  })

  test('looks neither make files nor keep those open in which nobody is', async () => {
    const dir = join(freshDir(), 'slots')
    const maker = await openPool(dir, 10_000)
    expect([await maker.count(), await maker.provenEmpty()]).toEqual([0, true])
    expect(shardFiles(dir)).toEqual([])
    for (const slot of await claims(maker, 10_000)) await slot.release()
    expect(shardFiles(dir)).toHaveLength(79)
    const looks = await openPool(dir)
    const before = readdirSync('/proc/self/fd').length
    expect([await looks.count(), await looks.provenEmpty()]).toEqual([0, true])
    expect(readdirSync('/proc/self/fd')).toHaveLength(before)
  })

  test('looks take no lock: /proc/locks has those of the holders and no other', async () => {
    const dir = join(freshDir(), 'slots')
    const pool = await openPool(dir, 200)
    await pool.claim()
    const looks = await openPool(dir)
    // Those of this pool: others on this machine come and go.
    const inodes = new Set(readdirSync(dir).map((name) => String(statSync(join(dir, name)).ino)))
    const locks = (): string[] =>
      readFileSync('/proc/locks', 'utf8')
        .split('\n')
        .filter((line) => inodes.has(/ [\da-f]+:[\da-f]+:(\d+) /.exec(line)?.[1] ?? ''))
    expect(locks()).toEqual([expect.stringMatching(/OFDLCK .* WRITE /)])
    for (let n = 0; n < 1000; n++) expect(await looks.count()).toBe(1)
    expect(locks()).toHaveLength(1)
  })

  test('holders are named in pools of several files', async () => {
    const dir = join(freshDir(), 'slots')
    const pool = await openPool(dir, 300)
    const holds = await holder(dir, 300, 299, 'an editor')
    const slot = await pool.claim()
    const held = await pool.held()
    expect(held.map((info) => info.slot)).toEqual(Array.from({ length: 300 }, (_, n) => n))
    const others = held.filter((info) => info.slot !== slot.id)
    expect(others.every((info) => info.pid === holds.pid && info.label === 'an editor')).toBe(true)
    await expect(pool.claim()).rejects.toThrow(/All 300 slots are in use.*an editor/s)
  })

  test('a file that cannot be used is passed over, all its slots count as in use, and it is named when no other is free', async () => {
    const dir = join(freshDir(), 'slots')
    const pool = await openPool(dir, 2 * SLOTS_A_FILE)
    const elsewhere = join(freshDir(), 'elsewhere')
    for (const put of [(path: string) => symlinkSync(elsewhere, path), (path: string) => mkdirSync(path)]) {
      const path = join(dir, 'ofd_0000.lock')
      rmSync(path, { force: true })
      put(path)
      const mine = await claims(pool, SLOTS_A_FILE)
      expect(mine.every(({ id }) => id >= SLOTS_A_FILE)).toBe(true)
      await expect(pool.tryClaim()).rejects.toThrow(path)
      expect(await pool.count()).toBe(2 * SLOTS_A_FILE)
      for (const slot of mine) await slot.release()
      await expect(pool.provenEmpty()).rejects.toThrow(path)
      rmSync(path, { recursive: true })
      const all = await claims(pool, 2 * SLOTS_A_FILE)
      for (const slot of all) await slot.release()
      expect(await pool.provenEmpty()).toBe(true)
    }
  })

  test('a pool of a size that no pool has is refused', async () => {
    await expect(ofdRange().open(join(freshDir(), 'slots'), { slots: 100_001 })).rejects.toThrow(/from 1 to 100000/)
  })

  test('two pools in one process wait for each other, and both get their turn', async () => {
    const dir = join(freshDir(), 'slots')
    const pools = [await openPool(dir, 1), await openPool(dir, 1)]
    let turns = 0
    const taking = pools.map(async (pool) => {
      for (let n = 0; n < 50; n++) {
        const slot = await pool.claim({ timeoutMs: 600_000 })
        turns++
        await slot.release()
      }
    })
    await within('both had all their turns', Promise.all(taking))
    expect(turns).toBe(100)
    await eventually('nothing is left', () => pools[0]?.provenEmpty() ?? false)
  })
})

/** What can happen to a file in a directory that other programs can write. */
function damage(path: string, kind: number): void {
  const rubbish = Array.from({ length: 400 }, () => Math.floor(Math.random() * 3))
  const damages = [
    () => truncateSync(path),
    () => writeFileSync(path, Buffer.alloc(400, 1)),
    () => writeFileSync(path, Buffer.from(rubbish)),
    () => rmSync(path),
    () => mkdirSync(path),
    () => rmSync(path, { recursive: true }),
    () => writeFileSync(path, 'something else that somebody has put there'),
    () => writeFileSync(path, Buffer.alloc(1 << 20, 0xff)),
  ]
  try {
    damages[kind % damages.length]?.()
  } catch (error) {
    // The one before left nothing to damage, or something else.
    if (!['ENOENT', 'EISDIR', 'EEXIST'].includes(String((error as NodeJS.ErrnoException).code))) throw error
  }
}
