import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { type SlotBackend, SlotTableStore, type StorePlace, systemCalls, type TakenSlot } from '@procref/core'
import { robustMutex, sysv } from '@procref/native'
import {
  atEnd,
  type Child,
  eventually,
  freshDir,
  HANGS_MS,
  mustBlock,
  removeSet,
  removeSetsAfterwards,
  setExists,
  startChild,
  within,
} from '@procref/testing'
import { expect, onTestFinished, test } from 'vitest'
import { loadBinding } from '../dist/load-binding.js'
import { RobustMutexTables } from '../dist/robust-mutex-tables.js'
import { SysvTables } from '../dist/sysv-tables.js'
import { claimIn, startHolder } from './holder.ts'
import { describeNative } from './native-built.ts'
import { recordOf } from './set-record.ts'

const FOR_EVER_MS = 2 ** 31 - 1

const KINDS = {
  sysv: {
    open: sysv,
    file: 'sysv.json',
    tables: (place: StorePlace) => new SysvTables(loadBinding('sysv'), place),
  },
  robustMutex: {
    open: robustMutex,
    file: 'robust.mutexes',
    tables: (place: StorePlace) => new RobustMutexTables(loadBinding('robust-mutex'), place),
  },
} as const

type Factory = keyof typeof KINDS

/** What the pool is made on. It never looks by itself, so what wakes it here is the kernel. */
function openStore(factory: Factory, dir: string, slots: number): SlotTableStore {
  const place = { dir, slots, record: new Uint8Array(512), system: systemCalls, restoreDirectory() {} }
  const store = new SlotTableStore(place, KINDS[factory].tables(place), KINDS[factory].open().locks)
  onTestFinished(() => store.close())
  return store
}

function takeWhenFree(store: SlotTableStore, signal = new AbortController().signal): Promise<TakenSlot> {
  if (store.takeWhenFree === undefined) throw new Error('it does not wait in the kernel')
  return store.takeWhenFree({ signal })
}

function whenUnused(store: SlotTableStore, signal = new AbortController().signal): Promise<void> {
  if (store.whenUnused === undefined) throw new Error('it does not wait in the kernel')
  return store.whenUnused({ signal })
}

function threadsOfThisProcess(): number {
  return readdirSync('/proc/self/task').length
}

const child = (name: string, args: readonly string[], execArgv: readonly string[] = []): Child =>
  atEnd(startChild(new URL(`./children/${name}.mjs`, import.meta.url), { args, execArgv }))

describeNative.each(['sysv', 'robustMutex'] as const)('waiting in the kernel for a slot of %s()', (factory) => {
  if (factory === 'sysv') removeSetsAfterwards()

  const backend = (): SlotBackend => KINDS[factory].open()
  const slotsDir = (): string => join(freshDir(), 'slots')

  async function fullPool(slots: number) {
    const dir = slotsDir()
    const pool = atEnd(await backend().open(dir, { slots }))
    const held = []
    for (let n = 0; n < slots; n++) held.push(await pool.claim())
    return { dir, pool, held }
  }

  test('the kernel hands over a slot that was released, and one whose holder was killed', async () => {
    const { dir, held } = await fullPool(2)
    const store = openStore(factory, dir, 2)
    const released = await mustBlock('takeWhenFree()', takeWhenFree(store))
    const slot = held[1]?.id
    await held[1]?.release()
    const mine = await released()
    expect(mine.id).toBe(slot)
    expect(mine.whyLost()).toBeUndefined()
    mine.release()

    const holder = await startHolder(factory, dir)
    expect(await claimIn(holder)).toBe(slot)
    const freed = await mustBlock('takeWhenFree()', takeWhenFree(store))
    holder.kill('SIGKILL')
    const again = await freed()
    expect(again.id).toBe(slot)
    expect(store.glance()).toHaveLength(2)
    expect(await store.takeFree(new AbortController().signal)).toBeUndefined()
    again.release()
  })

  test('the kernel tells when the last holder was killed, and not before', async () => {
    const { dir, pool, held } = await fullPool(3)
    const store = openStore(factory, dir, 3)
    await held[0]?.release()
    await held[2]?.release()
    const holders = [await startHolder(factory, dir), await startHolder(factory, dir)]
    for (const holder of holders) expect(await claimIn(holder)).not.toBeNull()
    await held[1]?.release()
    holders[0]?.kill('SIGKILL')
    const finishes = await mustBlock('whenUnused()', whenUnused(store))
    holders[1]?.kill('SIGKILL')
    await finishes()
    expect(await pool.provenEmpty()).toBe(true)
  })

  test('of many processes that wait one gets the slot, each time its holder is killed, until all had it', async () => {
    const { dir, pool, held } = await fullPool(1)
    const waiters = await Promise.all(Array.from({ length: 6 }, () => startHolder(factory, dir)))
    const claims = new Map(
      waiters.map((waiter) => {
        waiter.send('claim')
        return [waiter, waiter.event('claim').then(() => waiter)]
      }),
    )
    const released = await mustBlock('claim() of all', Promise.race(claims.values()))
    await held[0]?.release()
    await released()
    while (claims.size > 0) {
      const winner = await within('a claim', Promise.race(claims.values()))
      claims.delete(winner)
      expect(await pool.tryClaim()).toBeUndefined()
      expect((await pool.held()).map(({ pid }) => pid)).toEqual([winner.pid])
      if (claims.size > 0) await mustBlock('claim() of the others', Promise.race(claims.values()))
      winner.kill('SIGKILL')
    }
    expect((await pool.claim({ timeoutMs: HANGS_MS })).id).toBe(0)
  })

  test('claims that wait in one process get the slots one after the other, whoever waited longest first', async () => {
    const { dir, held } = await fullPool(2)
    const store = openStore(factory, dir, 2)
    const order: number[] = []
    const waits = Array.from({ length: 8 }, async (_, n) => {
      const taken = await takeWhenFree(store)
      order.push(n)
      expect(taken.whyLost()).toBeUndefined()
      taken.release()
    })
    for (const slot of held) await slot.release()
    await within('all had it', Promise.all(waits))
    expect(order).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
  })

  test('a wait that is called off while a slot is freed has it or leaves it, and no slot is lost', async () => {
    const { dir, pool, held } = await fullPool(1)
    await held[0]?.release()
    const store = openStore(factory, dir, 1)
    const ends = { taken: 0, calledOff: 0 }
    for (let n = 0; n < 300; n++) {
      const mine = await pool.claim({ timeoutMs: HANGS_MS })
      const controller = new AbortController()
      const wait = takeWhenFree(store, controller.signal)
      await mine.release()
      if (n % 3 === 0) await new Promise((resolve) => setImmediate(resolve))
      controller.abort(n)
      try {
        ;(await wait).release()
        ends.taken++
      } catch (error) {
        expect(error).toBe(n)
        ends.calledOff++
      }
      expect(await pool.provenEmpty()).toBe(true)
    }
    expect(ends.taken + ends.calledOff).toBe(300)
    expect(ends.calledOff).toBeGreaterThan(0)
  })

  test('claims that wait go on in a new table after the file was deleted, and the kernel wakes them there', async () => {
    const dir = slotsDir()
    const old = await startHolder(factory, dir, { slots: 1 })
    expect(await claimIn(old)).toBe(0)
    const store = openStore(factory, dir, 1)
    const waits = takeWhenFree(store)
    await mustBlock('takeWhenFree()', waits)
    rmSync(join(dir, KINDS[factory].file))
    const next = await startHolder(factory, dir)
    expect(await claimIn(next)).toBe(0)
    // The look of a claimer, which the kernel does not tell of a file.
    expect(await store.takeFree(new AbortController().signal)).toBeUndefined()
    const finishes = await mustBlock('takeWhenFree()', waits)
    next.kill('SIGKILL')
    const taken = await finishes()
    expect(taken.whyLost()).toBeUndefined()
    // Who holds a slot in the old one still counts.
    expect([...store.used()]).toHaveLength(2)
    const unused = await mustBlock('whenUnused()', whenUnused(store))
    taken.release()
    old.kill('SIGKILL')
    await unused()
    expect([...store.used()]).toEqual([])
  })

  test('a claim that waits finds by itself that the file was deleted', async () => {
    const { dir, held } = await fullPool(1)
    const waiter = await startHolder(factory, dir)
    waiter.send('claim')
    const claimed = await mustBlock('claim()', waiter.event('claim'))
    rmSync(join(dir, KINDS[factory].file))
    await claimed()
    await expect(held[0]?.verify()).rejects.toMatchObject({ code: 'PROCREF_SLOT_LOST' })
  })

  test('claims that wait at once where no table was made yet count each slot once', async () => {
    const dir = slotsDir()
    const pool = atEnd(await backend().open(dir, { slots: 4 }))
    const held = await Promise.all(Array.from({ length: 4 }, () => pool.claim({ timeoutMs: HANGS_MS })))
    expect(new Set(held.map(({ id }) => id)).size).toBe(4)
    expect(await pool.count()).toBe(4)
  })

  test('a pool that is closed while claims and whenEmpty() wait ends them, and leaves no slot or thread behind', async () => {
    const { dir, held } = await fullPool(1)
    const waiting = await backend().open(dir)
    const waits = [waiting.claim({ timeoutMs: FOR_EVER_MS }), waiting.whenEmpty()]
    await mustBlock('claim() and whenEmpty()', Promise.race(waits))
    await held[0]?.release()
    await waiting.close()
    const [claim, empty] = await within('their end', Promise.allSettled(waits))
    // The slot may have come first.
    if (claim?.status === 'fulfilled') throw new Error('a closed pool has a slot')
    expect(claim?.reason).toMatchObject({ code: 'PROCREF_POOL_CLOSED' })
    if (empty?.status === 'rejected') expect(empty.reason).toMatchObject({ code: 'PROCREF_POOL_CLOSED' })
    const pool = atEnd(await backend().open(dir))
    expect(await pool.provenEmpty()).toBe(true)
  })

  test('a wait that is woken after its store was closed takes nothing, and opens nothing', async () => {
    const { dir, pool, held } = await fullPool(1)
    const store = openStore(factory, dir, 1)
    const threads = threadsOfThisProcess()
    const wait = takeWhenFree(store)
    await mustBlock('takeWhenFree()', wait)
    store.close()
    await held[0]?.release()
    await expect(wait).rejects.toMatchObject({ code: 'PROCREF_POOL_CLOSED' })
    expect(await pool.provenEmpty()).toBe(true)
    await eventually('nothing is left of it', () => threadsOfThisProcess() <= threads)
  })

  test('a process that only waits for others to leave ends by itself, and process.exit() ends any', async () => {
    const { dir } = await fullPool(1)
    const run = (how: string): Child => child('table-waits', [factory, dir, how])
    expect(await within('the end', run('unused').exited)).toEqual({ code: 0, signal: null })
    expect(await within('the end', run('exit').exited)).toEqual({ code: 7, signal: null })
  })

  test('waits survive the garbage collector, and so does the slot that one brings', async () => {
    const { dir, pool, held } = await fullPool(1)
    const forgets = child('table-waits', [factory, dir, 'forget'], ['--expose-gc'])
    await forgets.event('waits')
    await held[0]?.release()
    await forgets.event('claimed')
    // It collects garbage all the time.
    const finishes = await mustBlock('claim()', pool.claim({ timeoutMs: FOR_EVER_MS }))
    forgets.kill('SIGKILL')
    await (await finishes()).release()
  })

  test('a thousand waits that are called off leave no thread, descriptor, slot or memory behind', {
    timeout: 5 * HANGS_MS,
  }, async () => {
    const program = child('many-table-waits', [factory, slotsDir()], ['--expose-gc'])
    const { rounds, empty, warnings } = await program.event<{
      readonly rounds: readonly {
        readonly waiting: number
        readonly rejected: number
        readonly fds: number
        readonly memory: number
      }[]
      readonly empty: boolean
      readonly warnings: number
    }>('done', 4 * HANGS_MS)
    expect({ empty, warnings }).toEqual({ empty: true, warnings: 0 })
    expect(rounds).toHaveLength(9)
    for (const { waiting, rejected, fds } of rounds) {
      expect(waiting).toBeGreaterThan(500)
      expect({ rejected, fds }).toEqual({ rejected: 1000, fds: rounds[0]?.fds })
    }
    // A leaked wait would cost at least a page of its stack: 6 MB in three rounds.
    const [, , , , , warm, , , last] = rounds.map(({ memory }) => memory)
    expect(Number(last) - Number(warm)).toBeLessThan(5_000_000)
  })

  test.each(['terminate', 'exit', 'exception'])(
    'worker threads that end while they wait (%s) leave no thread, descriptor or slot behind',
    async (how) => {
      const done = await child('table-waiting-workers', [factory, slotsDir(), how]).event('done')
      expect(done).toMatchObject({ newDescriptors: 0, empty: true })
    },
  )
})

describeNative('waiting in the kernel for a semaphore set', () => {
  removeSetsAfterwards()

  const slotsDir = (): string => join(freshDir(), 'slots')

  test('who waits for a slot of a set that is removed gets one of the next set; who waits for its end is told', async () => {
    const dir = slotsDir()
    const pool = atEnd(await sysv().open(dir, { slots: 1 }))
    await pool.claim()
    const store = openStore('sysv', dir, 1)
    const waits = Promise.all([takeWhenFree(store), whenUnused(store)])
    const finishes = await mustBlock('takeWhenFree() and whenUnused()', waits)
    const first = recordOf(dir).id
    removeSet(first)
    const [taken] = await finishes()
    expect(taken.whyLost()).toBeUndefined()
    expect(recordOf(dir).id).not.toBe(first)
  })

  test('the set is removed when the pool that closes last has a claim that waits', async () => {
    const dir = slotsDir()
    const pool = await sysv().open(dir, { slots: 1 })
    await pool.claim()
    const { id } = recordOf(dir)
    const claim = pool.claim({ timeoutMs: FOR_EVER_MS })
    await mustBlock('claim()', claim)
    await pool.close()
    await expect(claim).rejects.toMatchObject({ code: 'PROCREF_POOL_CLOSED' })
    await eventually('the set is gone', () => !setExists(id))
  })
})
