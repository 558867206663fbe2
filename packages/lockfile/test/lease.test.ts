import { utimesSync } from 'node:fs'
import { join } from 'node:path'
import { lockfile } from '@procref/lockfile'
import { atEnd, type Child, eventually, freeze, freshDir, startChild, staysTrue } from '@procref/testing'
import { expect, test } from 'vitest'

const HOLDER = new URL('./children/holder.mjs', import.meta.url)
const LEASE_MS = 5_000

async function open(
  dir: string,
  env: Readonly<Record<string, string>> = {},
): Promise<{ child: Child; fence: number | null }> {
  const child = atEnd(startChild(HOLDER, { args: [dir], env }))
  const { fence } = await child.event<{ fence: number | null }>('opened')
  return { child, fence }
}

async function verify(child: Child): Promise<string | null> {
  child.send('verify')
  return (await child.event<{ code: string | null }>('verified')).code
}

/** Somebody's data, which remembers the greatest fencing number it has seen, as whoever uses `slot.fence` should. */
function fencedResource() {
  let greatest = 0
  const writes: string[] = []
  return {
    writes,
    write(fence: number, text: string): boolean {
      if (fence < greatest) return false
      greatest = fence
      writes.push(text)
      return true
    },
  }
}

test('a holder stopped for longer than its lease is told by `lost` when it goes on, and its number is older than its successor’s', async () => {
  const dir = join(freshDir(), 'slots')
  const old = await open(dir)
  const next = await open(dir)
  expect([old.fence, next.fence]).toEqual([1, null])
  const data = fencedResource()
  expect(data.write(old.fence ?? 0, 'by the old holder')).toBe(true)
  await freeze(old.child.pid)
  next.child.send('claim')
  const { fence } = await next.child.event<{ fence: number }>('claimed')
  expect(data.write(fence, 'by the new holder')).toBe(true)
  old.child.kill('SIGCONT')
  expect(await old.child.event('lost')).toMatchObject({
    fence: 1,
    code: 'PROCREF_SLOT_LOST',
    message: expect.stringContaining('taken over'),
  })
  expect(fence).toBeGreaterThan(1)
  // What it would have written before it knew.
  expect(data.write(old.fence ?? 0, 'late')).toBe(false)
  expect(data.writes).toEqual(['by the old holder', 'by the new holder'])
  expect([await verify(old.child), await verify(next.child)]).toEqual(['PROCREF_SLOT_LOST', null])
  // Giving back what it has lost takes nothing from its successor.
  old.child.send('release')
  await old.child.event('released')
  old.child.send('try')
  expect(await old.child.event('tried')).toMatchObject({ fence: null })
  expect(await verify(next.child)).toBe(null)
})

test('a busy event loop of three leases loses no slot: the heartbeats come from a thread', async () => {
  const dir = join(freshDir(), 'slots')
  const { child } = await open(dir)
  const pool = await lockfile({ leaseMs: LEASE_MS }).open(dir)
  child.send('busy')
  await staysTrue(2.5 * LEASE_MS, async () => expect(await pool.tryClaim()).toBeUndefined())
  await child.event('idle')
  expect(await verify(child)).toBe(null)
  await pool.close()
})

test('clocks that jump by hours, those of the holder and of who looks, take no slot away', async () => {
  const dir = join(freshDir(), 'slots')
  // Also in the holder's thread: NODE_OPTIONS is for all of them.
  const env = { NODE_OPTIONS: `--import=${new URL('./children/jumping-clock.mjs', import.meta.url)}` }
  const holder = await open(dir, env)
  const other = await open(dir, env)
  expect([holder.fence, other.fence]).toEqual([1, null])
  await staysTrue(2.5 * LEASE_MS, async () => {
    other.child.send('try')
    expect(await other.child.event('tried')).toMatchObject({ fence: null })
  })
  expect(await verify(holder.child)).toBe(null)
})

test('a wall clock that stands still makes no living holder look dead', async () => {
  const dir = join(freshDir(), 'slots')
  const env = { NODE_OPTIONS: `--import=${new URL('./children/frozen-clock.mjs', import.meta.url)}` }
  const holder = await open(dir, env)
  const other = await open(dir)
  expect([holder.fence, other.fence]).toEqual([1, null])
  await staysTrue(2.5 * LEASE_MS, async () => {
    other.child.send('try')
    expect(await other.child.event('tried')).toMatchObject({ fence: null })
  })
  expect(await verify(holder.child)).toBe(null)
})

test('after the whole machine slept, whoever looks first robs nobody: the holder has time to beat', async () => {
  const dir = join(freshDir(), 'slots')
  const holder = await open(dir)
  const others = [await open(dir), await open(dir)]
  // They have seen its heartbeat.
  for (const { child } of others) {
    child.send('try')
    await child.event('tried')
  }
  const all = [holder, ...others]
  for (const { child } of all) await freeze(child.pid)
  await new Promise((resolve) => setTimeout(resolve, 2 * LEASE_MS))
  for (const { child } of others) child.kill('SIGCONT')
  for (const { child } of others) {
    child.send('try')
    expect(await child.event('tried')).toMatchObject({ fence: null })
  }
  holder.child.kill('SIGCONT')
  await staysTrue(1.5 * LEASE_MS, async () => {
    for (const { child } of others) {
      child.send('try')
      expect(await child.event('tried')).toMatchObject({ fence: null })
    }
    expect(await verify(holder.child)).toBe(null)
  })
})

test('a holder whose heartbeat somebody else has set gives the slot up rather than share it', async () => {
  const dir = join(freshDir(), 'slots')
  const holder = await open(dir)
  utimesSync(join(dir, 'slot_00.lock.owners', '1'), new Date(0), new Date(0))
  expect(await holder.child.event('lost')).toMatchObject({ code: 'PROCREF_SLOT_LOST' })
  const pool = await lockfile({ leaseMs: LEASE_MS }).open(dir)
  const slot = await eventually('the slot can be claimed', () => pool.tryClaim())
  expect(slot.fence).toBeGreaterThan(1)
  await pool.close()
})
